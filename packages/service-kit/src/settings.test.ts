import { expect, test } from 'vitest';
import { readSettings } from './settings.ts';

const file = (values: Record<string, unknown>) => ({ values, directory: '/etc/site' });

test('a path with a comma in it is one path, unless the setting takes several', () => {
  expect(readSettings('scheduler', file({ natsCa: 'north,south/ca.crt' }), {})).toMatchObject({
    natsCa: '/etc/site/north,south/ca.crt',
  });
  expect(readSettings('collector', file({ apiTokensFile: 'people, /run/robots' }), {})).toMatchObject({
    apiTokensFile: '/etc/site/people,/run/robots',
  });
});
