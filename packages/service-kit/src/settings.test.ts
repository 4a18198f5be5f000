import { expect, test } from 'vitest';
import { readSettings } from './settings.ts';

const file = (values: Record<string, unknown>) => ({ values, directory: '/etc/site' });

test('the store is beside the file that names it; a variable, and the default, are relative to where the process was started', () => {
  const path = (values: Record<string, unknown>, environment = {}) =>
    readSettings('collector', file(values), environment).storePath;
  expect(path({ storePath: 'data/results.sqlite' })).toBe('/etc/site/data/results.sqlite');
  expect(path({ storePath: '/srv/results.sqlite' })).toBe('/srv/results.sqlite');
  expect(path({ storePath: ':memory:' })).toBe(':memory:');
  expect(path({ storePath: 'data/results.sqlite' }, { STORE_PATH: 'other.sqlite' })).toBe('other.sqlite');
  expect(path({})).toBe('stream-infer.sqlite');
});

test('a value that is called otherwise here is named', () => {
  expect(() => readSettings('algoRunner', undefined, { MODEL_DEVICE: 'cuda' })).toThrow(
    /^MODEL_DEVICE is "cuda": .*: did you mean gpu\?$/,
  );
});

test('a path with a comma in it is one path, unless the setting takes several', () => {
  expect(readSettings('scheduler', file({ natsCa: 'north,south/ca.crt' }), {})).toMatchObject({
    natsCa: '/etc/site/north,south/ca.crt',
  });
  expect(readSettings('collector', file({ apiTokensFile: 'people, /run/robots' }), {})).toMatchObject({
    apiTokensFile: '/etc/site/people,/run/robots',
  });
});
