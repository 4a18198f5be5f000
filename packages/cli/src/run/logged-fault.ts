/** The fault that a line of a service's log tells of, as the user is shown it. */

import { Fault } from '@stream-infer/core/fault';
import type { LogLine } from '../system/log-line.ts';

export function loggedFault(code: Fault['code'], { message, fields }: LogLine): Fault {
  const why = fields.why === undefined ? '' : `: ${fields.why}`;
  const place = fields.at === undefined ? '' : ` (at ${fields.at})`;
  const fault = new Fault(code, `${message}${why}${place}`);
  return fields.stream === undefined ? fault : faultOfStream(fault, String(fields.stream));
}

/** The fault, with the stream named where its message does not. */
export function faultOfStream(fault: Fault, stream: string): Fault {
  if (fault.message.split(/[^\w-]+/).includes(stream)) return fault;
  return new Fault(fault.code, `stream ${stream}: ${fault.message}`, { cause: fault, excerpt: fault.excerpt });
}
