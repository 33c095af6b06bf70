/** What a parameter file says, before the compiler reads it: which variables it names, and azd's form of it. */
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { isObject, type Json, mapValues } from './template.ts'

/** Stands for a value that may be a credential: nothing of an identity is made of one. */
export const WITHHELD = 'withheld'
const CREDENTIAL_NAME =
  /TOKEN|SECRET|PASSW|PWD|CREDENTIAL|PRIVATE|KEY$|(API|ACCESS|ACCOUNT)_?KEY|CONNECTION_?STRING|(^|_)(PAT|SAS)($|_)/i
const CREDENTIAL_VALUE =
  /^(gh[a-z]_|github_pat_|eyJ[\w-]+\.)|-----BEGIN [\w ]*PRIVATE KEY|AccountKey=|[?&]sig=|:\/\/[^/@]+:[^/@]+@/

const isCredential = (name: string, value: string) =>
  CREDENTIAL_NAME.test(name) || CREDENTIAL_VALUE.test(value)

const namesIn = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, name = '']) => name)

/** The files that a `.bicepparam` extends count with it. */
function textsOf(file: string, seen: ReadonlySet<string> = new Set()): string[] {
  if (seen.has(file) || !existsSync(file)) return []
  const text = readFileSync(file, 'utf8')
  const extended = namesIn(text, /^\s*extends\s+'([^']+)'/gm)
  const inner = new Set([...seen, file])
  return [text, ...extended.flatMap((one) => textsOf(join(dirname(file), one), inner))]
}

const isBicep = (file: string) => file.endsWith('.bicepparam')
const VARIABLE = /\$\{(\w+)(?:=([^}]*))?\}/g
const NAMED = /readEnvironmentVariable\(\s*'([^']+)'/g

/**
 * Of `environment` the variables that a parameter file of either kind may read: those that it names, and no credentials.
 * A file of a pull request must not be able to print a job's tokens.
 */
export function variablesOf(file: string, environment: NodeJS.ProcessEnv): Record<string, string> {
  const names = textsOf(file).flatMap((text) => namesIn(text, isBicep(file) ? NAMED : VARIABLE))
  return Object.fromEntries(
    names.flatMap((name): [string, string][] => {
      const value = environment[name]
      return value === undefined ? [] : [[name, isCredential(name, value) ? WITHHELD : value]]
    }),
  )
}

/**
 * The Bicep file that `file` gives values to, if it is one on this machine: what a `.bicepparam` uses; of
 * `x.parameters.json` it is `x.bicep`, of `prod.parameters.json` and the like `main.bicep`; a Bicep file needs no values.
 */
export function templateOf(file: string): string | undefined {
  if (file.endsWith('.bicep')) return file
  const beside = (name: string) => join(dirname(file), name)
  if (isBicep(file)) {
    const [used] = textsOf(file).flatMap((text) => namesIn(text, /^\s*using\s+'([^']+\.bicep)'/gm))
    return used === undefined ? undefined : beside(used)
  }
  return [`${basename(file).split('.')[0]}.bicep`, 'main.bicep'].map(beside).find(existsSync)
}

/** Of azd, and of the compiler. */
export const ParameterFile = z.looseObject({
  parameters: z.record(z.string(), z.looseObject({ value: z.json().optional() })),
})

/** Values of azd's `main.parameters.json`, with `${NAME}` and `${NAME=default}` put in; empty where nothing is set. */
export function azdParameters(file: string, environment: NodeJS.ProcessEnv): Record<string, Json> {
  const text = readFileSync(file, 'utf8')
  const variables = variablesOf(file, environment)
  const filled = (value: Json): Json => {
    if (typeof value === 'string')
      return value.replaceAll(VARIABLE, (_, name: string, usual = '') => variables[name] || usual)
    if (Array.isArray(value)) return value.map(filled)
    return isObject(value) ? mapValues(value, filled) : value
  }
  const { parameters } = ParameterFile.parse(JSON.parse(text))
  // A reference to a key vault has no value: it is a secret.
  return mapValues(parameters, ({ value }) => (value === undefined ? WITHHELD : filled(value)))
}

/** Values as the template's parameters want them: a file of azd, and a command line, know only text. */
export function typedParameters(
  values: Record<string, Json>,
  types: Record<string, string>,
): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]): [string, Json][] => {
      const type = types[name]
      if (typeof value !== 'string' || type === undefined || /^(secure)?string$/i.test(type))
        return [[name, value]]
      // Not set: what the template says itself.
      return value === '' ? [] : [[name, parsed(name, value, type)]]
    }),
  )
}

function parsed(name: string, value: string, type: string): Json {
  try {
    return z.json().parse(JSON.parse(/^(true|false)$/i.test(value) ? value.toLowerCase() : value))
  } catch {
    throw new Error(`The parameter ${name} is of type ${type}, and ${JSON.stringify(value)} is not.`)
  }
}
