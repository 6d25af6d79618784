// Plans that are rarely made, fetched together: source tables and upgrades of queries.

export { planSourceTable } from '../plan/source-table.ts';
export { planUpgrade } from '../plan/upgrade.ts';
