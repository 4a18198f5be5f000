import { expect, test } from 'vitest';
import { createTopology } from './topology.ts';

test('streams and buckets are <prefix>_<NAME>, subjects <prefix>.<name>… (N-2)', () => {
  const names = createTopology('site-1');
  expect(names.framesStream('gate', 7)).toBe('site-1_FRAMES_gate_7');
  expect(names.framesSubject('gate', 7)).toBe('site-1.frames.gate.7');
  expect(names.headersSubject('me', 'gate', 7)).toBe('site-1.headers.me.gate.7');
  expect(names.releasedSubject('gate')).toBe('site-1.released.gate');
  expect(names.statusSubject('gate')).toBe('site-1.status.gate');
  expect(names.resultsStream).toBe('site-1_RESULTS');
  expect(names.resultSubject('gate', 'r1', 'faces')).toBe('site-1.results.gate.r1.faces');
  expect(names.endSubject('gate', 'r1')).toBe('site-1.ends.gate.r1');
  expect(names.rewindSubject('gate')).toBe('site-1.rewind.gate');
  expect(names.snapshotKey('gate', 'r1', 'tracks')).toBe('gate.r1.tracks');
  expect(names.buckets).toEqual({
    streams: 'site-1_streams',
    runs: 'site-1_runs',
    runners: 'site-1_runners',
    members: 'site-1_members',
    assignments: 'site-1_assignments',
    snapshots: 'site-1_snapshots',
    costs: 'site-1_costs',
  });
});

test('an end is told from a result, also of a stream that is called ends', () => {
  const names = createTopology('p');
  expect(names.isEndSubject(names.endSubject('gate', 'r1'))).toBe(true);
  expect(names.isEndSubject(names.resultSubject('ends', 'r1', 'a'))).toBe(false);
  const subjects = names.resultSubjectsOfEnd(names.endSubject('gate', 'r1'));
  expect(names.resultSubject('gate', 'r1', 'a').startsWith(subjects)).toBe(true);
  expect(names.resultSubject('gate', 'r10', 'a').startsWith(subjects)).toBe(false);
});

test('an installation owns its streams and buckets, and none of one whose prefix begins as its own does', () => {
  const [own, other] = [createTopology('site'), createTopology('site_FRAMES')];
  for (const name of own.fixedStreams) expect(own.owns(name, [])).toBe(true);
  for (const name of other.fixedStreams) expect(own.owns(name, [])).toBe(false);
  expect(own.owns(own.framesStream('gate', 7), [own.framesSubject('gate', 7)])).toBe(true);
  expect(own.owns(other.framesStream('gate', 7), [other.framesSubject('gate', 7)])).toBe(false);
});
