import { describe, expect, test } from 'vitest';
import { storeAddress, storeName } from './store-address.ts';

const of = (url: string, hasCa = false) => storeAddress(url, 'STORE_URL', hasCa);

describe('a URL of a database', () => {
  test('names host, port, user, password and database, percent-encoded where it must be', () => {
    expect(of('postgres://u:p@db:6543/results')).toEqual({
      hosts: [{ host: 'db', port: 6543 }],
      user: 'u',
      password: 'p',
      database: 'results',
      tls: 'off',
    });
    expect(of('postgresql://a%40b:p%2F@:%25@db/x')).toMatchObject({ user: 'a@b', password: 'p/@:%', database: 'x' });
    expect(of(' postgres://u@[::1]:1/ \n')).toMatchObject({
      hosts: [{ host: '::1', port: 1 }],
      password: undefined,
      database: 'u',
    });
  });

  test('may name several hosts, and its name holds no credentials', () => {
    const address = of('postgres://u:secret@a,b:2/x?target_session_attrs=read-write');
    expect(address.hosts).toEqual([
      { host: 'a', port: 5432 },
      { host: 'b', port: 2 },
    ]);
    expect(storeName(address)).toBe('a:5432,b:2/x');
  });

  test('says how much of the certificate is looked at', () => {
    const tls = (mode: string, hasCa = false) => of(`postgres://u@h/d${mode && `?sslmode=${mode}`}`, hasCa).tls;
    expect(['', 'disable', 'require', 'verify-ca', 'verify-full'].map((mode) => tls(mode))).toEqual([
      'off',
      'off',
      'unverified',
      'verify-ca',
      'verify-full',
    ]);
    expect(['', 'require', 'verify-ca', 'verify-full'].map((mode) => tls(mode, true))).toEqual([
      'verify-full',
      'verify-ca',
      'verify-ca',
      'verify-full',
    ]);
  });

  test.each([
    ['mysql://u:secret@h/d', 'is no URL'],
    ['postgres://u:secret@h/d/e', 'is no URL'],
    ['postgres://u:sec/ret@h/d', 'is no URL'],
    ['postgres://:secret@h/d', 'names no user'],
    ['postgres://h/d', 'names no user'],
    ['postgres://u:secret@h:99999/d', 'has a host that is none'],
    ['postgres://u:secret%@h/d', 'percent sign'],
    ['postgres://u:secret@h/d?sslmode=prefer', 'disable, require, verify-ca and verify-full'],
    ['postgres://u:secret@h/d?sslrootcert=secret', 'the parameter sslrootcert'],
    ['postgres://u:secret@h/d?target_session_attrs=standby', 'the parameter target_session_attrs'],
  ])('%s is refused without being quoted', (url, message) => {
    expect(() => of(url)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(message) }),
    );
    expect(() => of(url)).toThrow(/^STORE_URL (?!.*secret)/);
  });

  test('that says no TLS is refused beside certificates that ask for it', () => {
    expect(() => of('postgres://u@h/d?sslmode=disable', true)).toThrow(/STORE_CA/);
  });
});
