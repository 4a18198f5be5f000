import { describe, expect, test } from 'vitest';
import { type Command, parseCommandLine } from './command-line.ts';
import { parseStreamAlgorithmFlag } from './streams/stream-algorithm-flag.ts';

const usage = (message: RegExp) => expect.objectContaining({ code: 'USAGE', message: expect.stringMatching(message) });

const run = (...args: string[]): Extract<Command, { name: 'run' }> => {
  const command = parseCommandLine(['run', ...args]);
  if (command.name !== 'run') throw new Error(`parsed as ${command.name}`);
  return command;
};

describe('run', () => {
  test('takes sources and options in any order, an option by = or by a space', () => {
    const { sources, options } = run('--fps=30000/1001', 'a.mp4', '--output', '-', 'b.mp4', '--strict');
    expect(sources).toEqual(['a.mp4', 'b.mp4']);
    expect(options).toMatchObject({ fps: '30000/1001', output: '-', strict: true, json: false, width: undefined });
  });

  test('takes --algorithm several times, every other option once', () => {
    expect(run('a', '--algorithm', 'x=y', '--algorithm', 'z').options.algorithm).toEqual(['x=y', 'z']);
    expect(() => run('a', '--fps', '1', '--fps', '2')).toThrow(usage(/^--fps is given twice/));
  });

  test('leaves a negative value to the schema, so that it is refused as a value', () => {
    expect(run('a', '--fps', '-1').options.fps).toBe('-1');
  });

  test('what follows -- is a source, whatever it looks like', () => {
    expect(run('--', '--odd-name.mp4').sources).toEqual(['--odd-name.mp4']);
  });
});

describe('a mistake', () => {
  test.each([
    [['rnu'], /there is no command rnu: did you mean stream-infer run\?/],
    [['frobnicate'], /there is no command frobnicate: known are run, up, .*, version/],
    [['run', 'a', '--widht', '3'], /there is no option --widht: did you mean --width\?/],
    [['run', 'a', '-x'], /there is no option -x: known are --config/],
    [['run', 'a', '--fps'], /--fps needs a value: --fps N/],
    [['run', 'a', '--fps', '--width', '3'], /--fps needs a value/],
    [['run', 'a', '--output='], /--output needs a value: --output FILE\|-/],
    [['run', 'a', '--strict=yes'], /--strict takes no value/],
    [['probe'], /probe takes one argument: stream-infer probe SOURCE/],
    [['validate', 'a', 'b'], /validate takes one argument/],
    [['dead-letters'], /dead-letters takes list, show or replay/],
    [['dead-letters', 'show'], /dead-letters show takes ids/],
    [['dead-letters', 'replay', '3', '--all'], /dead-letters replay takes ids or --all/],
    [['dead-letters', 'show', '--all'], /takes no --all/],
    [['dead-letters', 'show', 'all'], /all is no id of a dead letter/],
    [['dead-letters', 'list', '3'], /use show 3/],
    [['fetch', 'http://a/b'], /fetch takes a URL and a file/],
    [['fetch', 'ftp://u:secret@a/b', 'x'], /takes a URL of http or https, and ftp:\/\/\*\*\*@a\/b is none/],
    [['fetch', 'http://a/b', 'x'], /--sha256 takes the 64 hexadecimal digits/],
    [['fetch', 'http://a/b', 'x', '--sha256', 'abc'], /--sha256 takes the 64 hexadecimal digits/],
    [['doctor', 'now'], /doctor takes no argument, and now is given/],
  ])('is told with what was meant: %j', (args, message) => {
    expect(() => parseCommandLine(args)).toThrow(usage(message));
  });
});

describe('help', () => {
  const help = (...args: string[]): string => {
    const command = parseCommandLine(args);
    return command.name === 'help' ? command.text : '';
  };

  test('lists every command', () => {
    for (const text of [help(), help('--help'), help('-h'), help('help')])
      for (const name of ['run', 'probe', 'validate', 'dead-letters', 'fetch', 'doctor', 'version'])
        expect(text).toContain(`stream-infer ${name}`);
  });

  test.each(['run', 'probe', 'validate', 'dead-letters', 'fetch', 'doctor', 'version'])(
    'of %s tells its usage and every option',
    (name) => {
      for (const text of [help(name, '--help'), help('help', name), help(name, '--json', '-h')]) {
        expect(text).toMatch(new RegExp(`^stream-infer ${name}`));
        expect(text).toContain('--json');
      }
    },
  );

  test('of an action of streams tells its own flags alone', () => {
    const flags = (text: string): string[] => [...text.matchAll(/^ {2}--(\S+)/gm)].map(([, name = '']) => name);
    expect(flags(help('streams', 'list', '--help'))).toEqual(['all', 'api', 'token-file', 'json', 'help']);
    expect(flags(help('streams', 'apply', '--help'))).toEqual(expect.arrayContaining(['owner', 'wait']));
    expect(flags(help('help', 'streams', 'apply'))).not.toContain('fps');
    expect(flags(help('streams', 'add', '-h'))).toEqual(expect.arrayContaining(['fps', 'video-stream']));
    expect(flags(help('streams', 'add', '-h'))).not.toContain('source');
    expect(help('streams', 'add', '-h')).toMatch(/^stream-infer streams add ID SOURCE/);
    expect(flags(help('streams', '--help'))).toEqual(expect.arrayContaining(['source', 'fps', 'owner', 'json']));
  });

  test('of streams names all that an algorithm may have otherwise on a stream', () => {
    const [, named = ''] =
      /differs on this stream \(([^)]*)\)/.exec(help('streams', '--help').replace(/\s+/g, ' ')) ?? [];
    expect(() => parseStreamAlgorithmFlag('bright,foo=3')).toThrow(`known are name, ${named}`);
  });

  test('fits a terminal of 120 columns', () => {
    for (const line of help('run', '--help').split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  });
});
