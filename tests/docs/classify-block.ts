/** Which way a code block of the pages is shown to be true; none is the answer that fails. */
import { readDeclaration } from '../../app/declaration.ts'
import { Exceptions } from '../../scripts/whatif/exceptions.ts'
import { NOT_COMPARED, NOT_RUN, RUN, SHOWN } from './block-claims.ts'
import { type Block, type Command, commandsIn, commandsInBlock, textOf } from './blocks.ts'
import { blocksFollowed } from './follow.ts'

export const begins = ({ page, first }: Block, [where, how]: readonly [string, string, string]) =>
  page === where && first.startsWith(how)

const escaped = (text: string) => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
/** A comment shows nothing. */
const codeOf = (source: string) => source.replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '')

/** Does a test take this block from its page? Its name in a title or a message is not enough. */
export const takesBlock = (source: string, page: string, how: string): boolean =>
  new RegExp(String.raw`\b(?:block|blocksBeginning)\(\s*'${page}',\s*'${escaped(how)}'`).test(codeOf(source))

/** Does a test run this command of `RUN`? */
export const runsCommand = (source: string, name: string): boolean =>
  new RegExp(String.raw`\b(?:run|callIn)\((?:'\w+', |name, )?RUN\.${name}\b`).test(codeOf(source))

/** The sections of docs/customize.md that its test does in a copy of the repository. */
const followed = Array.from(
  textOf('tests/docs/customize.test.ts').matchAll(/copy\.follow\('([^']+)'\)/g),
).flatMap(([, title = '']) => blocksFollowed(textOf('docs/customize.md'), title))
const isFollowed = ({ page, text }: Block) => page === 'docs/customize.md' && followed.includes(text)

/** What reads each JSON of the pages, by how it begins. */
const FORMATS: readonly (readonly [page: string, begins: string, read: (text: string) => unknown])[] = [
  ['docs/whatif.md', '{', (text) => Exceptions.parse(JSON.parse(text))],
  [
    'docs/services.md',
    '"services"',
    (text) => {
      const added: object = JSON.parse(`{${text.replace('<object id>', crypto.randomUUID())}}`)
      return readDeclaration(JSON.stringify({ ...JSON.parse(textOf('infra/permissions.json')), ...added }))
    },
  ],
]
export const formatOf = ({ page, first, lang }: Block) =>
  FORMATS.find(([where, how]) => lang === 'json' && page === where && first.startsWith(how))

/** A whole workflow, or steps of one; undefined for what is none. */
export function workflowIn({ text, lang }: Block): string | undefined {
  if (lang !== 'yaml') return undefined
  if (/^jobs:$/m.test(text)) return text
  if (!text.startsWith('- uses:')) return undefined
  const steps = text.replaceAll(/^/gm, '      ')
  return `on: push\njobs:\n  one:\n    runs-on: ubuntu-latest\n    steps:\n${steps}\n`
}

export const textOfCommand = (words: Command) => words.join(' ')
/** All that tests run of what is typed in blocks. */
export const run = new Set(Object.values(RUN).flatMap(commandsIn).map(textOfCommand))
const isRun = (words: Command) => run.has(textOfCommand(words))
const isLeftOut = (words: Command) => NOT_RUN.some(([command]) => command.test(textOfCommand(words)))

/** Is it run, compared, read as what it is, or named with the reason why it cannot be? */
export function isClassified(block: Block): boolean {
  if ([...SHOWN, ...NOT_COMPARED].some((claim) => begins(block, claim)) || isFollowed(block)) return true
  if (block.lang === 'mermaid' || formatOf(block) || workflowIn(block)) return true
  const typed = commandsInBlock(block)
  return typed.length > 0 && typed.every((words) => isRun(words) || isLeftOut(words))
}
