/**
 * The reporter that closes a test run: the skipped tests by reason, then `N passed, N failed, N skipped`. Where
 * STREAM_INFER_TEST_SUMMARY names a file, it also goes there for `.ci/run`: a line of counts (passed, failed, skipped,
 * faults of the skip list), then the text.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SerializedError } from 'vitest';
import type { Reporter, TestCase, TestModule, TestRunEndReason, Vitest } from 'vitest/node';
import { describeSkips, parseSkipList, type Skip, skipFaults, skipReason } from './skip-list.ts';

const EXPECTED_SKIPS = join(import.meta.dirname, '../test/expected-skips');

type Outcome = { passed: number; failed: number; readonly skipped: Skip[] };

function countTest(outcome: Outcome, module: TestModule, test: TestCase): void {
  const result = test.result();
  if (result.state === 'passed') outcome.passed += 1;
  else if (result.state === 'failed') outcome.failed += 1;
  // A test that was still pending when the run was interrupted did not pass.
  else if (result.state === 'pending') outcome.failed += 1;
  else {
    const reason = skipReason(result.note, test.fullName);
    outcome.skipped.push({ test: `${module.relativeModuleId} > ${test.fullName}`, reason });
  }
}

/** A file that does not load and a suite whose hook throws fail without a failed test, and count as one each. */
function outcomeOf(modules: readonly TestModule[], unhandled: number): Outcome {
  const outcome: Outcome = { passed: 0, failed: unhandled, skipped: [] };
  for (const module of modules) {
    outcome.failed += module.errors().length;
    for (const suite of module.children.allSuites()) outcome.failed += suite.errors().length;
    for (const test of module.children.allTests()) countTest(outcome, module, test);
  }
  return outcome;
}

export class TestSummary implements Reporter {
  #isFilteredByName = false;

  onInit(vitest: Vitest): void {
    this.#isFilteredByName = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(
    modules: readonly TestModule[],
    unhandledErrors: readonly SerializedError[],
    reason: TestRunEndReason,
  ): void {
    const { passed, failed, skipped } = outcomeOf(modules, unhandledErrors.length + (reason === 'interrupted' ? 1 : 0));
    const faults = skipFaults(skipped, parseSkipList(readFileSync(EXPECTED_SKIPS, 'utf8')));
    // With `-t` the tests of other names count as skipped, and are nobody's loss.
    const skips = this.#isFilteredByName ? [] : describeSkips(skipped);
    for (const line of [...skips, `${passed} passed, ${failed} failed, ${skipped.length} skipped`]) console.log(line);

    const file = process.env.STREAM_INFER_TEST_SUMMARY;
    if (file === undefined) return;
    const counts = `${passed} ${failed} ${skipped.length} ${faults.length}`;
    writeFileSync(file, `${[counts, ...skips, ...faults].join('\n')}\n`);
  }
}
