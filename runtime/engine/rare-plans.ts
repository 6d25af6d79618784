// Plans that are rarely made, fetched together: source tables, upgrades of queries, and the row path of a plan for the kernel.

export { onRowPath } from '../plan/row-path.ts';
export { planSourceTable } from '../plan/source-table.ts';
export { planUpgrade } from '../plan/upgrade.ts';
