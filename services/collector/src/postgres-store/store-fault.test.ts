import { describe, expect, test } from 'vitest';
import { storeFault } from './store-fault.ts';

const CONTEXT = { name: 'db:5432/results', user: 'collector', host: 'db', ca: undefined };
const codeOf = (code: string): string | undefined =>
  storeFault(Object.assign(new Error('it is refused'), { code }), CONTEXT)?.code;

describe('what the database says', () => {
  test.each([
    ['a transaction that idled for too long', '25P03'],
    ['a transaction that failed before', '25P02'],
    ['a session that idled for too long', '57P05'],
    ['a server that takes no writes', '25006'],
    ['a deadlock', '40P01'],
  ])('of %s is over when it is asked again', (_what, state) => {
    expect(codeOf(state)).toBe('STORE_UNREACHABLE');
  });

  test('of a pool whose connections are all taken is told apart from a server that is away', () => {
    const said = (text: string): string | undefined => storeFault(new Error(text), CONTEXT)?.message;
    expect(said('timeout exceeded when trying to connect')).toMatch(/has no connection free .*slow queries and locks/);
    expect(said('Connection terminated due to connection timeout')).toMatch(/look whether the server runs/);
  });

  test('of a statement that is wrong is a defect', () => {
    expect(codeOf('42601')).toBeUndefined();
    expect(codeOf('25001')).toBeUndefined();
  });
});
