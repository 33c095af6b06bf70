/** Where a resource is written: the file and line of each module path and symbolic name. */
import { readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'

export interface Place {
  /** From the folder of the process, with forward slashes. */
  file: string
  /** From 1. */
  line: number
}

const DECLARATION = /^\s*(resource|module)\s+(\w+)\s+'([^']*)'/

/** By `identity/api`; what cannot be read, like a module of a registry, is left out. */
export function findPlaces(template: string): Map<string, Place> {
  const places = new Map<string, Place>()
  const read = (file: string, path: readonly string[]) => {
    const lines = textOf(file)?.split('\n') ?? []
    for (const [index, text] of lines.entries()) {
      const [, kind, symbol = '', target = ''] = DECLARATION.exec(text) ?? []
      if (kind === 'module') read(resolve(dirname(file), target), [...path, symbol])
      const place = { file: relative(process.cwd(), file).replaceAll('\\', '/'), line: index + 1 }
      if (kind === 'resource') places.set([...path, symbol].join('/'), place)
    }
  }
  read(template, [])
  return places
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
