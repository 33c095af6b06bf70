import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Hosts } from '../../../app/http/hosts.ts'
import { Refusal } from '../../../app/http/refusal.ts'

const request = (...hosts: string[]) => ({
  headers: hosts[0] === undefined ? {} : { host: hosts[0] },
  rawHeaders: hosts.flatMap((host) => ['Host', host]),
  httpVersion: '1.1',
})
const refused = (status: number) => (error: unknown) => error instanceof Refusal && error.status === status

describe('the Host header', () => {
  const url = 'https://mcp.contoso.com/mcp'
  const hosts = new Hosts([url, 'https://other.contoso.com:8443/mcp'], [])

  it('may name the port of https, and has no case', () => {
    for (const host of ['mcp.contoso.com', 'mcp.contoso.com:443', 'MCP.Contoso.com:443'])
      assert.equal(hosts.mcpUrlOf(request(host)), url)
    assert.equal(hosts.mcpUrlOf(request('other.contoso.com:8443')), 'https://other.contoso.com:8443/mcp')
  })

  it('names no other port or host', () => {
    for (const host of [
      'mcp.contoso.com:80',
      'mcp.contoso.com:8443',
      'mcp.contoso.com.',
      'mcp.contoso.com:443:443',
      'user@mcp.contoso.com',
      'other.contoso.com',
      'other.contoso.com:443',
      'evil.example.com',
      '',
    ])
      assert.throws(() => hosts.mcpUrlOf(request(host)), refused(403), host)
  })

  it('comes exactly once', () => {
    assert.throws(() => hosts.mcpUrlOf(request()), refused(400))
    assert.throws(() => hosts.mcpUrlOf(request('mcp.contoso.com', 'mcp.contoso.com')), refused(400))
    assert.throws(() => hosts.mcpUrlOf(request('mcp.contoso.com', 'evil.example.com')), refused(400))
    assert.throws(() => hosts.mcpUrlOf({ ...request(), httpVersion: '1.0' }), refused(403))
  })
})

describe('the Origin header', () => {
  it('is the server’s own or one of ALLOWED_ORIGINS, exactly', () => {
    const hosts = new Hosts(['https://mcp.contoso.com/mcp'], ['https://inspector.contoso.com'])
    assert.equal(hosts.allows('https://mcp.contoso.com'), true)
    assert.equal(hosts.allows('https://inspector.contoso.com'), true)
    for (const origin of [
      'null',
      '',
      'http://inspector.contoso.com',
      'https://inspector.contoso.com:8443',
      'https://inspector.contoso.com.evil.example.com',
      'https://inspector.contoso.com/',
      'http://localhost:6274',
    ])
      assert.equal(hosts.allows(origin), false, origin)
  })

  it('may be any of loopback where the server is on loopback', () => {
    const hosts = new Hosts(['http://localhost:8080/mcp'], [])
    for (const origin of [
      'http://localhost:6274',
      'http://127.0.0.1:1',
      'http://[::1]:5173',
      'http://localhost',
    ])
      assert.equal(hosts.allows(origin), true, origin)
    for (const origin of ['http://localhost.example.com', 'http://localhost:6274/x', 'file://', 'null'])
      assert.equal(hosts.allows(origin), false, origin)
  })
})
