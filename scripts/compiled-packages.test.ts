import { expect, test } from 'vitest';
import { closureOf, compiledManifest } from './compiled-packages.ts';

const manifests = new Map([
  ['.', { name: 'all', dependencies: { '@x/a': 'workspace:*', '@x/d': 'workspace:*' } }],
  ['packages/a', { name: '@x/a', dependencies: { '@x/b': 'workspace:*', pino: '1.0.0' } }],
  ['packages/b', { name: '@x/b', dependencies: { '@x/c': 'workspace:*' } }],
  ['packages/c', { name: '@x/c', dependencies: { '@x/b': 'workspace:*' } }],
  ['packages/d', { name: '@x/d' }],
]);

test('a package needs what it depends on, and what that depends on, and the repository, whose own dependencies it does not', () => {
  expect([...closureOf('@x/a', manifests)].sort()).toEqual(['.', 'packages/a', 'packages/b', 'packages/c']);
});

test('a package that is not there is named, with those that are', () => {
  expect(() => closureOf('@x/e', manifests)).toThrow('there is no package @x/e: known are all, @x/a');
});

test('a compiled package exports JavaScript, and is otherwise what it was', () => {
  const manifest = { name: '@x/a', exports: { './*': './src/*.ts', '.': './src/a.ts' }, dependencies: { '@x/b': '1' } };
  expect(JSON.parse(compiledManifest(manifest))).toEqual({
    ...manifest,
    exports: { './*': './src/*.js', '.': './src/a.js' },
  });
});
