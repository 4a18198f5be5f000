/** `--algorithm NAME[,key=value…]` of a stream: an algorithm of the installation, with what differs on this stream. */

import { streamAlgorithmSchema } from '@stream-infer/core/algorithm-definition';
import { parseValue } from '@stream-infer/core/configuration-fault';
import { Fault } from '@stream-infer/core/fault';
import type { StreamDefinition } from '@stream-infer/core/stream-definition';
import { parseScalar, splitList } from '../algorithm-flag.ts';

type StreamAlgorithm = NonNullable<StreamDefinition['algorithms']>[number];

/** Throws USAGE where the text is not of this shape, CONFIG_UNKNOWN_KEY or CONFIG_INVALID. */
export function parseStreamAlgorithmFlag(text: string): StreamAlgorithm {
  const [name = '', ...pairs] = splitList(text);
  const entries = pairs.map((pair): [string, unknown] => {
    const equals = pair.indexOf('=');
    if (equals < 1)
      throw new Fault(
        'USAGE',
        `--algorithm ${name}: "${pair}" is no key=value: write it as --algorithm faces,interval=2`,
      );
    const [key, value] = [pair.slice(0, equals), pair.slice(equals + 1)];
    return [key, key === 'as' ? value : parseScalar(value, pair, name)];
  });
  return parseValue(streamAlgorithmSchema, { name, ...Object.fromEntries(entries) }, `--algorithm ${name}`);
}
