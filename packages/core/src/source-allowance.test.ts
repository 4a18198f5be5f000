import { describe, expect, test } from 'vitest';
import { parseValue } from './configuration-fault.ts';
import { allowanceOf, CAMERAS_ONLY, EVERYTHING, networkPlace, sourceAllowanceSchema } from './source-allowance.ts';

const parse = (entry: string) => parseValue(sourceAllowanceSchema, ['all', entry], 'cameras.yaml');

describe('an entry', () => {
  test.each([
    'network:10.1.0.0/16',
    'network:10.1.2.3',
    'network:fd12::/48',
    'network:::1',
    'network:Camera.local',
    'files:/srv/videos',
    'devices:/dev/video0',
    'lavfi:movie=/v/a.mp4',
  ])('%s is one', (entry) => expect(parse(entry)).toContain(entry));

  test.each([
    'network:10.1.0.0/',
    'network:10.1.0.0/99',
    'network:10.1.0.0/abc',
    'network:10.1.0.0/-1',
    'network:10.1.0/16',
    'network:10.1.0',
    'network:300.1.1.1',
    'network:fd12::/129',
    'network:fd12:::1',
    'network:camera.local/16',
    'network:',
    'files:videos',
    'everything',
  ])('%s is none, and the fault names it', (entry) =>
    expect(() => parse(entry)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(`"${entry}"`) }),
    ),
  );
});

test('classes, blocks and hosts do not take each other’s names', () => {
  expect(networkPlace('private')).toEqual({ kind: 'class', name: 'private' });
  expect(networkPlace('10.0.0.0/8')).toEqual({ kind: 'block', cidr: '10.0.0.0/8' });
  expect(networkPlace('::1')).toEqual({ kind: 'block', cidr: '::1' });
  expect(networkPlace('Camera.Local')).toEqual({ kind: 'host', name: 'camera.local' });
});

describe('the default of run and up', () => {
  const named = [
    '/srv/a, b.mp4',
    'file:///srv/c%20d.mp4',
    '/dev/video0',
    'lavfi:movie=/v/a.mp4',
    'rtsp://u:p@Localhost:8554/x',
    'rtsp://[::1]/x',
    'udp://:1234',
  ];

  test('is everything while the API listens on this machine alone', () => {
    expect(allowanceOf(named)).toEqual(EVERYTHING);
    expect(allowanceOf(named, 'localhost')).toEqual(EVERYTHING);
  });

  test('is cameras beyond that, and the very sources that the operator names', () => {
    const allow = allowanceOf([...named, ...named], '0.0.0.0');
    expect(allow).toEqual([
      ...CAMERAS_ONLY,
      'files:/srv/a, b.mp4',
      'files:/srv/c d.mp4',
      'devices:/dev/video0',
      'lavfi:movie=/v/a.mp4',
      'network:localhost',
      'network:::1',
      'network:0.0.0.0',
    ]);
    expect(parseValue(sourceAllowanceSchema, allow, 'x')).toEqual(allow);
  });

  test('widens to no class of addresses by a host of its name', () =>
    expect(allowanceOf(['rtsp://loopback/x'], '0.0.0.0')).toEqual(CAMERAS_ONLY));
});
