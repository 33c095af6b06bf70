/** The pieces of GitHub's Markdown, safe for names that anybody may have chosen. */
import { nameText } from './text.ts'

/** Names come from the directory: they must not become markup, links or mentions. */
export const escaped = (text: string): string =>
  nameText(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*_{}[\]#!|~]/g, '\\$&')
    .replaceAll('@', '@\u200b')
    .replaceAll('://', ':\u200b//')

/** Inside a summary Markdown is not read, only HTML. */
export const html = (text: string): string =>
  nameText(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('@', '@\u200b')

/** A fence longer than any run of backticks inside. */
export function fenced(language: string, text: string): string[] {
  const runs = text.match(/`+/g) ?? []
  const fence = '`'.repeat(Math.max(3, ...runs.map(({ length }) => length + 1)))
  return [`${fence}${language}`, text.trimEnd(), fence]
}

export const table = (head: string[], rows: string[][]): string[] =>
  rows.length === 0
    ? []
    : [
        `| ${head.join(' | ')} |`,
        `|${' --- |'.repeat(head.length)}`,
        ...rows.map((row) => `| ${row.join(' | ')} |`),
        '',
      ]
