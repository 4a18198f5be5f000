/**
 * A stream as the registry holds it: its spec, and beside it what only those who register streams read. Ingest and scheduler read the
 * spec alone.
 */

import { z } from 'zod';
import { OWNER, OWNER_RULE } from './names.ts';
import type { StreamDefinitionInput } from './stream-definition.ts';
import type { StreamSpec } from './stream-spec.ts';

export type RegisteredStream = StreamSpec & {
  /** Who applied it, so that who applies a list of streams removes only what was on its own list before. */
  readonly owner?: string;
};

export const ownerSchema = z.string().regex(OWNER, OWNER_RULE);

/** What was registered, written as a definition with every default filled in: resolved again it gives the same spec. */
export function definitionOf({ owner: _owner, algorithms, ...spec }: RegisteredStream): StreamDefinitionInput {
  return {
    ...spec,
    algorithms: algorithms.map(({ name, definition, after, ...schedule }) => ({
      name: definition,
      ...(name !== definition && { as: name }),
      ...schedule,
      ...(after && { after: [...after] }),
    })),
  };
}
