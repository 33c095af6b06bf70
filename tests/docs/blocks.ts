/** The code blocks of all pages, and the commands in them. */
import { readdirSync, readFileSync } from 'node:fs'
import { marked } from 'marked'

const root = new URL('../../', import.meta.url)
export const textOf = (path: string) => readFileSync(new URL(path, root), 'utf8')
const namesIn = (folder: string) =>
  readdirSync(new URL(folder, root))
    .filter((name) => name.endsWith('.md'))
    .map((name) => (folder === './' ? name : folder + name))

export const pages = [...namesIn('./'), ...namesIn('docs/'), 'scripts/package/README.md']

export type Block = Readonly<{
  page: string
  /** The heading of second level that it is under. */
  section: string
  lang: string
  text: string
  /** Its first line: with the page, the name of a block. */
  first: string
}>

/** Blocks in lists too; an indented one has the empty language, as one with a fence that names none. */
function blocksOf(page: string): Block[] {
  let section = ''
  const blocks: Block[] = []
  marked.walkTokens(marked.lexer(textOf(page)), (token) => {
    if (token.type === 'heading' && token.depth === 2) section = token.text
    if (token.type !== 'code') return
    const text: string = token.text
    blocks.push({ page, section, lang: token.lang ?? '', text, first: text.split('\n')[0] ?? '' })
  })
  return blocks
}

export const blocks = pages.flatMap(blocksOf)

export const blocksBeginning = (page: string, first: string): Block[] =>
  blocks.filter((one) => one.page === page && one.first.startsWith(first))

/** The one block of a page that begins with `first`. */
export function block(page: string, first: string): Block {
  const [found, ...more] = blocksBeginning(page, first)
  if (!found || more.length > 0)
    throw new Error(`${page} has not exactly one block that begins with ${first}`)
  return found
}

export type Command = readonly string[]

/**
 * What the shell takes for one word (`<a placeholder>` is none of its own, and counts as a word), and what ends a command.
 * The package shell-quote would lose the lines after a comment, and read a placeholder as two redirections.
 */
const PIECES = /((?:'[^']*'|"[^"]*"|<[^<>\n]+>|[^\s'"|&<>;#])+)|(&&|\||;|\n)|#[^\n]*|>\s*\S+/g

/** The commands of a text as the shell reads them, those in `$(…)` last: without comments, quotes and where the output goes. */
export function commandsIn(text: string): Command[] {
  const commands: string[][] = [[]]
  for (const [, word, end] of text.matchAll(PIECES)) {
    if (end) commands.push([])
    else if (word) commands.at(-1)?.push(word.replaceAll(/'([^']*)'|"([^"]*)"/g, '$1$2'))
  }
  const inner = commands.flat().flatMap((word) => commandsIn(/^\$\((.+)\)$/s.exec(word)?.[1] ?? ''))
  return [...commands.filter((words) => words.length > 0), ...inner]
}

/** What `npm run <script> -- ...` or `npx <program> ...` starts, and what it is given. */
export function callIn(line: string): Readonly<{ name: string; args: string[] }> {
  const [[program, ...words] = []] = commandsIn(line)
  const rest = words.filter((word) => word !== '--silent')
  const [name = '', ...args] = program === 'npx' ? rest : rest.slice(1)
  return { name, args: program === 'npx' ? args : args.slice(1) }
}

/** What is typed in a block: all of a shell's, of a session the lines with a prompt. */
export function commandsInBlock({ lang, text }: Block): Command[] {
  if (lang === 'sh') return commandsIn(text)
  return lang === 'console'
    ? commandsIn(Array.from(text.matchAll(/^\$ (.*)$/gm), ([, line]) => line).join('\n'))
    : []
}

/** What begins like a command and is a message of one. */
const MESSAGES = ['azd gives no token for Microsoft Graph']

/** Commands in sentences and tables. */
export const commandsInText = (page: string): Command[] => {
  const commands: Command[] = []
  marked.walkTokens(marked.lexer(textOf(page)), (token) => {
    if (token.type !== 'codespan' || MESSAGES.includes(token.text)) return
    if (/^(azd|az|gh|npm|npx) [a-z-]/.test(token.text)) commands.push(...commandsIn(token.text))
  })
  return commands
}
