// Code of the client that is fetched on first use; knows no code.

import { PortError } from '../base/errors.ts';

/** @throws {PortError} UNAVAILABLE when it cannot be fetched: another try may have more luck */
export async function later<Code>(what: string, fetching: Promise<Code>): Promise<Code> {
  try {
    return await fetching;
  } catch (cause) {
    const message = `the code for ${what} could not be loaded`;
    throw new PortError('UNAVAILABLE', message, {}, { cause });
  }
}
