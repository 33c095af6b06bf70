import { createHmac } from 'node:crypto'

export interface Signer {
  url: string
  key: string
}

/** A request without the SDK, signed as Cosmos documents it; `headers` may spoil what was signed. */
export const signedFetch = async (
  { url, key }: Signer,
  method: string,
  path: string,
  {
    headers = {},
    body,
    date = new Date(),
  }: { headers?: Record<string, string>; body?: unknown; date?: Date } = {},
) => {
  const segments = path.split('/').filter(Boolean)
  const isNamed = segments.length % 2 === 0
  const type = segments.at(isNamed ? -2 : -1) ?? ''
  const link = (isNamed ? segments : segments.slice(0, -1)).join('/')
  const stamp = date.toUTCString()
  const text = `${method.toLowerCase()}\n${type}\n${link}\n${stamp.toLowerCase()}\n\n`
  const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest('base64')
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: encodeURIComponent(`type=master&ver=1.0&sig=${signature}`),
      'x-ms-date': stamp,
      'x-ms-version': '2020-07-15',
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const answer = await response.text()
  const parsed: unknown = answer === '' ? undefined : JSON.parse(answer)
  return { status: response.status, headers: response.headers, body: parsed }
}
