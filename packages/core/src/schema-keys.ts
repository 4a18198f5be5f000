/** Which keys a schema knows at a place of a document, to name the nearest one to an unknown key. */

import { z } from 'zod';

/** Of several alternatives there, all that take an object are meant. */
export function knownKeysAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  const found = path.reduce<readonly z.ZodType[]>(
    (schemas, key) => schemas.flatMap((inner) => step(inner, key)),
    [schema],
  );
  const objects = found.flatMap(alternatives).filter((inner) => inner instanceof z.ZodObject);
  return [...new Set(objects.flatMap((inner) => Object.keys(inner.shape)))];
}

/** The schemas of one key of a mapping or one place of a list. */
function step(schema: z.ZodType, key: PropertyKey): readonly z.ZodType[] {
  return alternatives(schema).flatMap((inner) => {
    if (inner instanceof z.ZodObject) {
      const next: unknown = inner.shape[String(key)];
      return next instanceof z.ZodType ? [next] : [];
    }
    if (inner instanceof z.ZodArray) return inner.element instanceof z.ZodType ? [inner.element] : [];
    return [];
  });
}

/** A schema without what wraps it: optional, default; each alternative of a union. */
function alternatives(schema: unknown): readonly z.ZodType[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable)
    return alternatives(schema.unwrap());
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(alternatives);
  if (schema instanceof z.ZodPipe) return alternatives(schema.in);
  return schema instanceof z.ZodType ? [schema] : [];
}
