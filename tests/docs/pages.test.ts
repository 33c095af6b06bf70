import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import Slugger from 'github-slugger'
import { type MarkedToken, marked } from 'marked'
import { endpointOf } from '../../app/config.ts'
import { loadDeclaration } from '../../app/declaration.ts'
import manifest from '../../package.json' with { type: 'json' }
import { filesIn } from '../files.ts'

const root = new URL('../../', import.meta.url)
const textOf = (path: string) => readFileSync(new URL(path, root), 'utf8')
const docs = readdirSync(new URL('docs/', root)).filter((name) => name.endsWith('.md'))
const pages = ['README.md', 'AGENTS.md', 'scripts/package/README.md', ...docs.map((name) => `docs/${name}`)]

/** All tokens of a page, those inside lists, tables and paragraphs too. */
function tokensOf(path: string): MarkedToken[] {
  const tokens: MarkedToken[] = []
  marked.walkTokens(marked.lexer(textOf(path)), (token) => {
    tokens.push(token as MarkedToken)
  })
  return tokens
}

/** Links and pictures that stay in the repository. */
const linksOf = (path: string): string[] =>
  tokensOf(path)
    .flatMap((token) => (token.type === 'link' || token.type === 'image' ? [token.href] : []))
    .filter((href) => new URL(href, root).protocol === 'file:')

/** As GitHub makes them from headings; the same heading twice gets a number. */
function anchorsOf(path: string): string[] {
  const slugger = new Slugger()
  return tokensOf(path).flatMap((token) => (token.type === 'heading' ? [slugger.slug(token.text)] : []))
}

/** Headings with nothing below them, and sections whose last words announce what does not follow. */
function brokenSectionsOf(markdown: string): string[] {
  const blocks = marked
    .lexer(markdown.replaceAll(/<!--.*?-->/gs, ''))
    .filter((block): block is MarkedToken => block.type !== 'space')
  return blocks.flatMap((block, at) => {
    const next = blocks[at + 1]
    const isLast = next === undefined || next.type === 'heading'
    if (block.type !== 'heading') return isLast && /:\s*$/.test(block.raw) ? [block.raw.trim()] : []
    return next === undefined || (next.type === 'heading' && next.depth <= block.depth) ? [block.text] : []
  })
}

/** What somebody may type: each line of a shell block, and each piece of code in a sentence. */
const commandsOf = (path: string): string[] =>
  tokensOf(path).flatMap((token) => {
    if (token.type === 'codespan') return [token.text]
    return token.type === 'code' && /^(sh|)$/.test(token.lang ?? '') ? token.text.split('\n') : []
  })

const sources = filesIn('app', 'scripts', 'infra', 'tests', '.github')
  .filter((name) => /\.(ts|bicep|bicepparam|json|yml|yaml)$|Dockerfile$/.test(name))
  .map(textOf)
  .join('\n')

/** The only variables whose names are made: one for each downstream API. */
const endpoints = loadDeclaration().downstreamApis.map((api) => endpointOf(api).variable)

describe('The pages', () => {
  for (const path of pages)
    it(`lead nowhere that is not there: ${path}`, () => {
      for (const href of linksOf(path)) {
        const { pathname, hash } = new URL(href, new URL(path, root))
        assert.ok(existsSync(new URL(pathname, root)), `${path}: ${href}`)
        const target = decodeURI(pathname).slice(root.pathname.length)
        if (hash) assert.ok(anchorsOf(target).includes(hash.slice(1)), `${path}: ${href} is no heading`)
      }
    })

  for (const path of pages)
    it(`name only commands and files that are there: ${path}`, () => {
      for (const command of commandsOf(path)) {
        for (const [, name = ''] of command.matchAll(/\bnpm run (?:--silent )?([\w:-]+)/g))
          assert.ok(name in manifest.scripts, `${path}: npm run ${name}`)
        for (const [, file = ''] of command.matchAll(
          /\bnode (?:--[\w=.-]+ )*((?:scripts|tests|app)\/[\w./-]+\.ts)/g,
        ))
          assert.ok(existsSync(new URL(file, root)), `${path}: ${file}`)
      }
    })

  for (const path of pages)
    it(`name only variables that some code reads: ${path}`, () => {
      const names = new Set(
        tokensOf(path).flatMap((token) =>
          token.type === 'codespan' ? (token.text.match(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g) ?? []) : [],
        ),
      )
      for (const name of names)
        assert.ok(new RegExp(`\\b${name}\\b`).test(sources) || endpoints.includes(name), `${path}: ${name}`)
    })

  for (const path of pages)
    it(`have no section that is empty or breaks off: ${path}`, () =>
      assert.deepEqual(brokenSectionsOf(textOf(path)), []))

  it('may not break off in a list, nor leave a section empty behind its mark', () => {
    const page = '# A\n## B\n1. Give it an identity:\n\n## C\n<!-- table: generated -->\n## D\nEnd.\n'
    assert.deepEqual(brokenSectionsOf(page), ['1. Give it an identity:', 'C'])
  })

  it('begin with whom they are for', () => {
    for (const name of docs) {
      const [title, whom] = tokensOf(`docs/${name}`).filter(
        ({ type }) => type === 'heading' || type === 'paragraph',
      )
      assert.equal(title?.type, 'heading', name)
      assert.match(whom?.raw ?? '', /^For /, name)
    }
  })

  it('are all reached from the README, which stays short', () => {
    const readme = textOf('README.md')
    for (const name of docs) assert.ok(readme.includes(`](docs/${name})`), name)
    assert.ok(readme.trimEnd().split('\n').length <= 160)
  })
})
