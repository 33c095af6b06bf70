/** Who shows that a code block is true, and what cannot be run here. A block that nobody names fails `blocks.test.ts`. */

const [LOCAL, DEPLOYED] = ['tests/docs/blocks-local.test.ts', 'tests/docs/blocks-deployed.test.ts']

/** Page, how its blocks begin, and the test that takes them with `block` or `blocksBeginning` and runs or compares them. */
export const SHOWN: readonly (readonly [page: string, begins: string, test: string])[] = [
  ['README.md', 'MCP server', LOCAL],
  ['docs/local.md', 'MCP server', LOCAL],
  ['docs/local.md', '$ npm run --silent client', LOCAL],
  ['docs/architecture.md', '{"time"', LOCAL],
  ['docs/deploy.md', '✓ azd is recent enough', DEPLOYED],
  ['docs/deploy.md', '✓ federated credential created', DEPLOYED],
  ['docs/deploy.md', '✗ app registration', DEPLOYED],
  ['docs/deploy.md', '✓ https://<host>/healthz answers', DEPLOYED],
  ['docs/deploy.md', '! consent is missing', DEPLOYED],
  ['docs/deploy.md', '✓ deleted service principal', DEPLOYED],
  ['docs/tools.md', 'http://localhost:8081/', LOCAL],
  ['docs/pipeline.md', '/.dockerignore @your-team', 'tests/scripts/github/owners.test.ts'],
  ['docs/services.md', 'name: report', 'tests/docs/services.test.ts'],
  ['docs/whatif.md', 'Identity what-if of azd environment dev', 'tests/scripts/whatif/tool-sets.test.ts'],
  ['docs/whatif.md', 'Identity what-if of azd environment dev', 'tests/docs/whatif.test.ts'],
  ['docs/whatif.md', 'npx -y --package', 'tests/docs/whatif.test.ts'],
  ['docs/whatif.md', 'identity-what-if --infra infra', 'tests/docs/whatif.test.ts'],
  ['docs/whatif.md', '+ ', 'tests/scripts/whatif/stories.test.ts'],
  ['scripts/package/README.md', 'npx identity-what-if', 'tests/scripts/package/documented.test.ts'],
  ['scripts/package/README.md', '- task: AzureCLI@2', 'tests/scripts/package/documented.test.ts'],
]

/** Commands that the tests of `RUN_BY` run from here, letter by letter but for addresses. */
export const RUN = {
  inspector:
    'npx mcp-inspector --cli http://localhost:8080/mcp --client-id e7b3a9d2-51c8-4f6e-a0b4-2c9d8f1e7a35 --method tools/list',
  listTools: 'npm run client -- --list',
  costByService: `npm run client -- cost_by_service '{"subscription":"6b0c4f1e-2d3a-4c58-9e71-8a5d0f3c2b16","from":"2026-09-01","to":"2026-10-31"}'`,
  costExport: `npm run client -- cost_export '{"subscription":"6b0c4f1e-2d3a-4c58-9e71-8a5d0f3c2b16","from":"2026-09-01","to":"2026-10-31"}'`,
  verify: 'npm run verify',
  whatif: 'npm run whatif',
  silentWhatif: 'npm run --silent whatif',
  strictWhatif: 'npm run --silent whatif -- --format markdown --fail-on high',
  pipelineRights: 'npm run pipeline -- --explain',
} as const
export const RUN_BY = [LOCAL, DEPLOYED] as const

const AZURE = 'needs an account and a subscription; the words are checked'
/** Commands that are not run, and why. All their words are checked all the same. */
export const NOT_RUN: readonly (readonly [command: RegExp, reason: string])[] = [
  [/^(azd|az|gh) (auth )?login$/, 'opens a browser for an account'],
  [/^azd (init|up|provision)\b/, AZURE],
  [/^azd env set \w+ /, 'writes into an azd environment; that something reads the variable is checked'],
  [/^az (ad|keyvault|rest)\b/, AZURE],
  [/^jq \.secretProperties\.contentType = "application\/x-pem-file"$/, 'works on what a vault answers'],
  [/^npm start$/, `run in another form by ${LOCAL}: its script, on ports that are free`],
  [/^npm run --silent map$/, `run in another form by ${DEPLOYED}: its script, without azd on PATH`],
  [/^npm run dev$/, `run in another form by ${DEPLOYED}: what package.json says, on a port that is free`],
  [
    /^npm run documents$/,
    'run in another form by tests/scripts/documents/documents.test.ts: its function, with an emulator of the service',
  ],
  [
    /^git apply docs\/certificate\.patch$/,
    'run in another form by tests/docs/certificate.test.ts: in a copy, refusing loose blanks',
  ],
  [/^npm ci$/, 'installs what this test runs with, from a registry'],
  [/^npm test$/, 'is what runs this test'],
  [/^npm run bench( -- 1000)?$/, 'takes four minutes'],
  [
    /^npm run pipeline( -- owner\/repository)?$/,
    'writes to GitHub and Azure; tests/scripts/github/pipeline.test.ts has emulators of both',
  ],
]

/** Blocks that are no commands and not compared, and why. */
export const NOT_COMPARED: readonly (readonly [page: string, begins: string, reason: string])[] = [
  [
    'docs/benchmark.md',
    'what ',
    'times that were measured on one machine; only the names of the rows are compared',
  ],
]
