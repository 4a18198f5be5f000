/** A fault of what an algorithm uses, told with the algorithm's name: a model, or labels, may be of several. */
import { Fault } from '@stream-infer/core/fault';

/** The fault, with the algorithm named where its message does not. */
export function ofAlgorithm(name: string, fault: Fault): Fault {
  if (fault.message.includes(`algorithm "${name}"`)) return fault;
  return new Fault(fault.code, `algorithm "${name}": ${fault.message}`, { cause: fault });
}
