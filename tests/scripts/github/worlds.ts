/** What az, azd, npm and GitHub know in the tests of the workflows. */
import type { Answer, World } from './project.ts'

export const REPOSITORY = 'repos/contoso/expenses'
export const HEAD = 'a'.repeat(40)
export const SUBSCRIPTION = '11111111-1111-4111-8111-111111111111'
export const TENANT = '22222222-2222-4222-8222-222222222222'

export const variables = {
  AZURE_ENV_NAME: 'dev',
  AZURE_LOCATION: 'westeurope',
  AZURE_SUBSCRIPTION_ID: SUBSCRIPTION,
  AZURE_TENANT_ID: TENANT,
  AZURE_REVIEW_CLIENT_ID: '33333333-3333-4333-8333-333333333333',
  AZURE_DEPLOY_CLIENT_ID: '44444444-4444-4444-8444-444444444444',
}

/** What GitHub fills into the files. */
export const given = (more: Record<string, string> = {}): Record<string, string> => ({
  'github.token': 'token-of-the-job',
  'github.event.pull_request.number': '7',
  'github.event.pull_request.head.sha': HEAD,
  'github.server_url': 'https://github.com',
  'github.repository': 'contoso/expenses',
  'github.run_id': '42',
  'toJSON(vars)': JSON.stringify(variables),
  ...Object.fromEntries(Object.entries(variables).map(([name, value]) => [`vars.${name}`, value])),
  ...more,
})

interface Risk {
  grade: string
  reason: string
}
export const high: Risk = { grade: 'high', reason: 'consent widened: Mail.Read' }
export const low: Risk = { grade: 'low', reason: 'text changed' }

/** What the action has said, in both formats. */
export const whatif = (
  code: number,
  risks: Risk[] = [],
  markdown = `identities: ${code}`,
  open: Risk[] = [],
): Answer[] => {
  const changes = risks.map((risk) => ({ title: 'API app', properties: [{ path: 'x', risk }] }))
  const pending = open.map((risk) => ({ title: 'API app', path: 'web.redirectUris', text: '{x}', risk }))
  const document = { schemaVersion: 2, summary: {}, blockers: [], changes, pending }
  return [
    { program: 'identity-what-if', match: 'json', code, stdout: JSON.stringify(document) },
    { program: 'identity-what-if', match: 'markdown', code, stdout: markdown },
  ]
}

/** It could not be told. */
export const untold = (why: string): Answer[] => [
  { program: 'identity-what-if', match: 'markdown', stdout: `It could not be told: ${why}` },
]

const resource = { id: '/x', tags: { 'azd-service-name': 'server', 'azd-env-name': 'dev' } }
export const server = (there: boolean): Answer => ({
  program: 'az',
  match: 'resource list',
  stdout: JSON.stringify(there ? [resource] : [{ id: '/y', tags: null }]),
})

export const serverPrincipal = '55555555-5555-4555-8555-555555555555'
const identities: Answer = {
  program: 'az',
  match: 'identity list',
  stdout: JSON.stringify([
    { principalId: serverPrincipal, tags: { 'azd-env-name': 'dev' } },
    { principalId: TENANT, tags: { 'azd-env-pipeline': 'dev' } },
  ]),
}

const environments: Answer = {
  program: 'az',
  match: 'env list',
  stdout: JSON.stringify([
    {
      properties: { defaultDomain: 'gentlesea-1a2b3c4d.westeurope.azurecontainerapps.io' },
      tags: { 'azd-env-name': 'dev' },
    },
  ]),
}

export const armSays = (stdout: unknown): Answer => ({
  program: 'az',
  match: 'sub what-if',
  stdout: typeof stdout === 'string' ? stdout : JSON.stringify(stdout),
})
export const arm = (changes: unknown[] = [], code = 0, stderr = ''): Answer => ({
  program: 'az',
  match: 'sub what-if',
  code,
  stderr,
  stdout: JSON.stringify({ status: 'Succeeded', changes }),
})

/** Their ids on GitHub. */
const ids: Record<string, number> = { author: 1, reviewer: 2, outsider: 3 }
const account = (login: string, type = 'User') => ({ id: ids[login] ?? 9, login, type })
const event = (name: string, at: string, more: Record<string, unknown> = {}) => ({
  event: name,
  created_at: at,
  actor: account('reviewer'),
  ...more,
})
export const labelled = (at: string, login = 'reviewer', type = 'User', more: Record<string, unknown> = {}) =>
  event('labeled', at, { actor: account(login, type), label: { name: 'identity-approved' }, ...more })
export const unlabelled = (at: string) => event('unlabeled', at, { label: { name: 'identity-approved' } })
export const happened = (name: string, at: string) => event(name, at)

const BRANCH = 'refs/heads/topic/a'
/** What GitHub noted when it was given something. */
export const pushed = (at: string, more: Record<string, unknown> = {}) => ({
  ref: BRANCH,
  after: HEAD,
  timestamp: at,
  activity_type: 'push',
  actor: account('author'),
  ...more,
})
export const pushedBy = (login: string, at: string) => pushed(at, { actor: account(login) })

export interface Story {
  comments?: unknown[]
  labels?: string[]
  events?: unknown[]
  permission?: string
  /** Newest first, as GitHub lists them. */
  pushes?: unknown[]
}

/** The pull request number 7 as GitHub's API shows it. */
export const pullRequest = (story: Story = {}): Record<string, unknown> => ({
  [`${REPOSITORY}/pulls/7`]: { user: account('author'), head: { ref: 'topic/a', sha: HEAD } },
  [`${REPOSITORY}/issues/7/comments`]: story.comments ?? [],
  [`${REPOSITORY}/issues/7/labels`]: (story.labels ?? []).map((name) => ({ name })),
  [`${REPOSITORY}/issues/7/events`]: story.events ?? [],
  [`${REPOSITORY}/activity`]: story.pushes ?? [
    pushed('2026-05-01T10:00:00Z'),
    pushed('2026-05-01T09:00:00Z', { activity_type: 'branch_creation', after: 'b'.repeat(40) }),
  ],
  ...(story.permission &&
    Object.fromEntries(
      Object.keys(ids).map((login) => [
        `${REPOSITORY}/collaborators/${login}/permission`,
        { permission: login === 'outsider' ? 'read' : story.permission },
      ]),
    )),
})

export const world = (answers: Answer[], github: Record<string, unknown> = {}): World => ({
  answers: [...answers, server(true), identities, environments, arm()],
  github,
})
