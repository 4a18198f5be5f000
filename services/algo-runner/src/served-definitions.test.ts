import { algorithmDefinitionSchema } from '@stream-infer/core/algorithm-definition';
import { describe, expect, test } from 'vitest';
import { servedDefinitions } from './served-definitions.ts';

const definitions = ['faces', 'cars', 'stats'].map((name) =>
  algorithmDefinitionSchema.parse({ name, use: 'frame-stats' }),
);
const names = (serve?: string): string[] => servedDefinitions(definitions, serve).map(({ name }) => name);

describe('what a runner serves', () => {
  test('is everything unless it is told', () => {
    expect(names()).toEqual(['faces', 'cars', 'stats']);
    expect(names(' , ')).toEqual(['faces', 'cars', 'stats']);
  });

  test('is what it is told, in the order of the configuration', () => {
    expect(names('stats, faces')).toEqual(['faces', 'stats']);
  });

  test('is nothing that is not defined', () => {
    expect(() => names('faces,face')).toThrow(
      expect.objectContaining({ code: 'CONFIG_UNKNOWN_ALGORITHM', message: expect.stringContaining('names face,') }),
    );
  });
});
