/**
 * What a source file does that a layer rule may object to, read from its syntax tree: what it imports, which names it
 * uses, which strings it holds. Pure: text in, facts out. Comments do not count, and in types only imports do.
 */

import { parseAst } from 'vitest/node';

export type Fact = { readonly text: string; readonly line: number };

export type SourceFacts = {
  /** What is imported, re-exported, dynamically imported or imported as a type, as written. */
  readonly imports: readonly Fact[];
  /** Names used as values, dotted where they are: `setTimeout`, `Date.now`; `new Date()` only without an argument. */
  readonly names: readonly Fact[];
  /** String literals, and template literals with `VALUE` where a value goes. */
  readonly strings: readonly Fact[];
};

/** Stands in a template literal's text for each `${…}`. */
export const VALUE = '\u0000';

type SyntaxNode = { readonly type: string; readonly start: number; readonly [key: string]: unknown };

const isSyntaxNode = (value: unknown): value is SyntaxNode =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';

const identifier = (value: unknown): string | undefined =>
  isSyntaxNode(value) && value.type === 'Identifier' ? String(value.name) : undefined;

const stringLiteral = (value: unknown): string | undefined =>
  isSyntaxNode(value) && value.type === 'Literal' && typeof value.value === 'string' ? value.value : undefined;

/** `Date.now` for that, for `Date['now']` and for `globalThis.Date.now`; nothing for what is not names and dots. */
function dottedName(node: unknown): string | undefined {
  const name = identifier(node);
  if (name !== undefined || !isSyntaxNode(node) || node.type !== 'MemberExpression') return name;
  const object = dottedName(node.object);
  const property = node.computed === true ? stringLiteral(node.property) : identifier(node.property);
  if (object === undefined || property === undefined) return undefined;
  return object === 'globalThis' ? property : `${object}.${property}`;
}

function isDateOfNow(node: SyntaxNode): boolean {
  if (identifier(node.callee) !== 'Date') return false;
  return (
    node.type === 'CallExpression' || (node.type === 'NewExpression' && (node.arguments as unknown[]).length === 0)
  );
}

function templateText(node: SyntaxNode): string {
  const quasis = node.quasis as readonly { readonly value: { readonly raw: string } }[];
  return quasis.map((quasi) => quasi.value.raw).join(VALUE);
}

/** The `b` of `a.b`, and the key of an object or class, is a name of its own and no use of another. */
function childrenOf(node: SyntaxNode): unknown[] {
  const isOwnName = (key: string): boolean => key === (node.type === 'MemberExpression' ? 'property' : 'key');
  return Object.entries(node).flatMap(([key, value]) =>
    isOwnName(key) && node.computed !== true ? [] : (value as unknown),
  );
}

const IMPORTS = new Set(
  'ImportDeclaration ExportNamedDeclaration ExportAllDeclaration ImportExpression TSImportType'.split(' '),
);

/** What TypeScript wraps around a value; every other node of its own is a type. */
const VALUE_WRAPPERS = new Set(['TSAsExpression', 'TSSatisfiesExpression', 'TSNonNullExpression']);

/** The names and strings that one node of the code itself stands for, its children aside. */
function namesIn(node: SyntaxNode): string[] {
  if (isDateOfNow(node)) return ['new Date()'];
  const name = dottedName(node);
  return name === undefined ? [] : [name];
}

function stringsIn(node: SyntaxNode): string[] {
  const text = node.type === 'TemplateLiteral' ? templateText(node) : stringLiteral(node);
  return text === undefined ? [] : [text];
}

function importsIn(node: SyntaxNode): string[] {
  const source = IMPORTS.has(node.type) ? stringLiteral(node.source) : undefined;
  return source === undefined ? [] : [source];
}

/** @throws what the parser throws where the text is not TypeScript. */
export function readSourceFacts(text: string): SourceFacts {
  const imports: Fact[] = [];
  const names: Fact[] = [];
  const strings: Fact[] = [];

  const visit = (node: unknown, insideType: boolean): void => {
    if (!isSyntaxNode(node)) return;
    const facts = (found: string[]): Fact[] =>
      found.map((what) => ({ text: what, line: text.slice(0, node.start).split('\n').length }));
    const isType = insideType || (node.type.startsWith('TS') && !VALUE_WRAPPERS.has(node.type));
    imports.push(...facts(importsIn(node)));
    if (!isType) {
      const found = namesIn(node);
      names.push(...facts(found));
      strings.push(...facts(stringsIn(node)));
      // `Date.now` is one name, not also `Date`.
      if (node.type === 'MemberExpression' && found.length > 0) return;
    }
    for (const child of childrenOf(node)) visit(child, isType);
  };
  visit(parseAst(text, { lang: 'ts' }), false);
  return { imports, names, strings };
}
