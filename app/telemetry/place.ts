import { existsSync, readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LRUCache } from 'lru-cache'

/** `file`: a URL, or a path as the source map has it. */
type Frame = Readonly<{ name: string; file: string; line: number; column: number }>

/** Places that were looked up; the map itself is large and not kept. */
const known = new LRUCache<string, Frame>({ max: 500 })

/** The innermost line of our own code in a stack, or else the innermost one; from the bundle by the map beside it. */
export function placeOf(stack: string): string {
  const maps = new Map<string, SourceMap | undefined>()
  const frames = stack.split('\n').flatMap((line) => frameOf(line) ?? [])
  const places = frames.map((frame) => original(frame, maps))
  const place = places.find(({ file }) => isOurs(file)) ?? places[0]
  return place ? `at ${place.name} (${basename(place.file)}:${place.line}:${place.column})` : ''
}

const isOurs = (file: string) => /(^|\/)app\/[\w./-]+$/.test(file) && !file.includes('node_modules')

function frameOf(text: string): Frame | undefined {
  const match = /^ {4}at (?:async )?(?:(.+) \()?((?:file|node):.+):(\d+):(\d+)\)?$/.exec(text)
  if (!match) return undefined
  const [, name = '', file = '', line, column] = match
  return { name, file, line: Number(line), column: Number(column) }
}

function original(frame: Frame, maps: Map<string, SourceMap | undefined>): Frame {
  const { name, file, line, column } = frame
  const key = `${name} ${file}:${line}:${column}`
  const seen = known.get(key)
  if (seen) return seen
  if (!maps.has(file)) maps.set(file, mapOf(file))
  const origin = maps.get(file)?.findOrigin(line, column)
  const found =
    origin && 'fileName' in origin
      ? {
          name: origin.name ?? name,
          file: origin.fileName,
          line: origin.lineNumber,
          column: origin.columnNumber,
        }
      : frame
  known.set(key, found)
  return found
}

function mapOf(file: string): SourceMap | undefined {
  if (!file.startsWith('file:') || file.includes('node_modules')) return undefined
  const path = `${fileURLToPath(file)}.map`
  return existsSync(path) ? new SourceMap(JSON.parse(readFileSync(path, 'utf8'))) : undefined
}
