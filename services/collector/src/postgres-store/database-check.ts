/** Whether results can be kept in a database: its version, its encoding, and whether it takes writes. */

import { Fault } from '@stream-infer/core/fault';
import type { Connection } from './connection.ts';

/** Of PostgreSQL, as server_version_num. */
const OLDEST = 140_000;

type Facts = { readonly version: number; readonly encoding: string; readonly read_only: boolean };

/** @param name as messages have it. Rejects with STORE_FAILED, and with STORE_UNREACHABLE where another host may do. */
export async function checkDatabase({ query }: Connection, name: string): Promise<void> {
  const [facts] = await query<Facts>(
    `SELECT current_setting('server_version_num')::int AS version, pg_encoding_to_char(encoding) AS encoding,
       pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS read_only
     FROM pg_database WHERE datname = current_database()`,
  );
  if (facts === undefined) return;
  if (facts.version < OLDEST)
    throw new Fault(
      'STORE_FAILED',
      `the database of the results at ${name} is PostgreSQL ${Math.floor(facts.version / 10_000)}: 14 or newer is needed`,
    );
  if (facts.encoding !== 'UTF8')
    throw new Fault(
      'STORE_FAILED',
      `the database of the results at ${name} has the encoding ${facts.encoding}: create one with UTF8`,
    );
  if (facts.read_only)
    throw new Fault(
      'STORE_UNREACHABLE',
      `the database of the results at ${name} is read-only: name the host that takes writes in STORE_URL, or all of them with commas`,
    );
}
