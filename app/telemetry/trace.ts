import {
  type Attributes,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import type { NextFunction, Request, Response } from 'express'
import type { DownstreamApi } from '../permissions.ts'
import type { AuditLine } from './audit.ts'
import { faultFields } from './fault.ts'

// Through the API only: until app/telemetry/spans.ts has registered itself, and without telemetry, all of this does nothing.
const tracer = () => trace.getTracer('expenses')

/** The services that a request depends on; their names are all that telemetry says about them. */
export type Service =
  | 'Microsoft Entra ID'
  | 'Managed identity'
  | 'Microsoft Graph'
  | 'Azure Cosmos DB'
  | DownstreamApi['displayName']

/** Middleware: what follows belongs to one request, which may be a part of the caller's trace (W3C Trace Context). */
export function inRequestSpan({ headers }: Request, _response: Response, next: NextFunction): void {
  // Without `tracestate`: it is free text of the caller's, and would be sent on.
  const parent = propagation.extract(ROOT_CONTEXT, { traceparent: headers.traceparent })
  const span = startRequest(undefined, parent)
  context.with(trace.setSpan(parent, span), next)
}

/** When each request's span began: the audit line says how long the request took, and both shall say the same. */
const starts = new WeakMap<Span, number>()

/** The span of a request; `started`: milliseconds since 1970, by default now. */
export function startRequest(started = Date.now(), parent = ROOT_CONTEXT): Span {
  const attributes = { 'http.request.method': 'POST', 'http.route': '/mcp' }
  const options = { kind: SpanKind.SERVER, attributes, startTime: started }
  const span = tracer().startSpan('POST /mcp', options, parent)
  starts.set(span, started)
  return span
}

/** The caller's `oid` is personal data: it stays in the audit line. */
export function endRequest(span: Span, line: AuditLine): void {
  const { decision, reason, outcome, tool, caller, client, obo, request_id, status } = line
  span.setAttributes({ 'http.response.status_code': status, decision, reason, outcome, request_id })
  for (const [name, value] of Object.entries({ tool, caller, client, obo }))
    if (value) span.setAttribute(name, value)
  if (outcome === 'failed' || outcome === 'refused_by_store') span.setStatus({ code: SpanStatusCode.ERROR })
  span.end((starts.get(span) ?? 0) + line.duration_ms)
}

/** A step of our own that costs time. */
export const tracedStep = <T>(name: string, step: () => Promise<T>): Promise<T> =>
  inSpan(name, SpanKind.INTERNAL, {}, step)

/**
 * One request to another service, as a dependency of the request that is answered. The call is given the headers that
 * continue the trace there, and says which status it got.
 */
export const tracedRequest = <T>(
  service: Service,
  name: string,
  method: string,
  call: (headers: Record<string, string>, answered: (status: number) => void) => Promise<T>,
): Promise<T> => {
  const attributes = { 'peer.service': service, 'http.request.method': method }
  return inSpan(name, SpanKind.CLIENT, attributes, (span) => {
    const headers: Record<string, string> = {}
    propagation.inject(context.active(), headers)
    return call(headers, (status) => answered(span, status))
  })
}

function answered(span: Span, status: number): void {
  span.setAttribute('http.response.status_code', status)
  if (status >= 400) span.setStatus({ code: SpanStatusCode.ERROR })
}

const inSpan = <T>(
  name: string,
  kind: SpanKind,
  attributes: Attributes,
  call: (span: Span) => Promise<T>,
): Promise<T> =>
  tracer().startActiveSpan(name, { kind, attributes }, async (span) => {
    try {
      return await call(span)
    } catch (error) {
      const { code, error: kindOfError } = faultFields(error)
      // Not `error.type`: the exporter leaves that out.
      span.setAttribute('error_code', code ?? kindOfError)
      span.setStatus({ code: SpanStatusCode.ERROR })
      throw error
    } finally {
      span.end()
    }
  })
