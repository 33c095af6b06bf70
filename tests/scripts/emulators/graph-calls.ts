import assert from 'node:assert/strict'
import { z } from 'zod'
import type { DirectoryHarness } from '../graph/directory-harness.ts'

const Refusal = z.object({ error: z.object({ code: z.string(), message: z.string() }) })
const Identified = z.looseObject({ id: z.string() })
const List = z.looseObject({
  value: z.array(z.looseObject({})),
  '@odata.nextLink': z.string().optional(),
  '@odata.count': z.number().optional(),
})

export interface Reply {
  status: number
  headers: Headers
  body: unknown
}

export const UPSERT = { prefer: 'create-if-missing' }
export const ADVANCED = { consistencylevel: 'eventual' }

/** Calls of one caller, as a script makes them. */
export function graphCalls({ graphUrl }: Pick<DirectoryHarness, 'graphUrl'>, token: string) {
  const call = async (
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<Reply> => {
    const answer = await fetch(path.startsWith('http') ? path : `${graphUrl}/v1.0${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    const text = await answer.text()
    return {
      status: answer.status,
      headers: answer.headers,
      body: text === '' ? undefined : JSON.parse(text),
    }
  }
  return {
    call,
    get: (path: string, headers?: Record<string, string>) => call('GET', path, undefined, headers),
    post: (path: string, body: object = {}) => call('POST', path, body),
    patch: (path: string, body: object, headers?: Record<string, string>) =>
      call('PATCH', path, body, headers),
    upsert: (path: string, body: object) => call('PATCH', path, body, UPSERT),
    remove: (path: string) => call('DELETE', path),
    /** The created object; fails the test when it was refused. */
    create: async (path: string, body: object) => {
      const reply = await call('POST', path, body)
      assert.equal(reply.status, 201, JSON.stringify(reply.body))
      return Identified.parse(reply.body)
    },
    list: async (path: string, headers?: Record<string, string>) => {
      const reply = await call('GET', path, undefined, headers)
      assert.equal(reply.status, 200, JSON.stringify(reply.body))
      return List.parse(reply.body)
    },
  }
}

export type GraphCalls = ReturnType<typeof graphCalls>

/** The refusal has this status, code and (part of the) text. */
export function refusedWith(reply: Reply, status: number, code: string, message: RegExp | string): void {
  const { error } = Refusal.parse(reply.body)
  assert.deepEqual([reply.status, error.code], [status, code], error.message)
  if (typeof message === 'string') assert.equal(error.message, message)
  else assert.match(error.message, message)
}

/** A property of an answer. */
export const of = (reply: Reply, name: string): unknown => z.looseObject({}).parse(reply.body)[name]
