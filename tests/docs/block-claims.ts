/** Who shows that a code block is true, and what cannot be run here. A block that nobody names fails `blocks.test.ts`. */

const [LOCAL, DEPLOYED] = ['tests/docs/blocks-local.test.ts', 'tests/docs/blocks-deployed.test.ts']

/** Page, how its blocks begin, and the test that runs them or compares them with what comes out. */
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
  ['docs/whatif.md', 'npx -y --package', 'tests/docs/whatif.test.ts'],
  ['docs/whatif.md', 'identity-what-if --infra infra', 'tests/docs/whatif.test.ts'],
  ['docs/whatif.md', '+ ', 'tests/scripts/whatif/stories.test.ts'],
  ['scripts/package/README.md', 'npx identity-what-if', 'tests/scripts/package/documented.test.ts'],
  ['scripts/package/README.md', '- task: AzureCLI@2', 'tests/scripts/package/documented.test.ts'],
]

/** Commands that a test runs, letter by letter but for addresses. */
export const RUN: Readonly<Record<string, readonly string[]>> = {
  [LOCAL]: [
    'npm start',
    'npx mcp-inspector --cli http://localhost:8080/mcp --client-id e7b3a9d2-51c8-4f6e-a0b4-2c9d8f1e7a35 --method tools/list',
    'npm run client -- --list',
    `npm run client -- cost_by_service '{"subscription":"6b0c4f1e-2d3a-4c58-9e71-8a5d0f3c2b16","from":"2026-09-01","to":"2026-10-31"}'`,
    `npm run client -- cost_export '{"subscription":"6b0c4f1e-2d3a-4c58-9e71-8a5d0f3c2b16","from":"2026-09-01","to":"2026-10-31"}'`,
  ],
  [DEPLOYED]: [
    'npm run verify',
    'npm run --silent whatif',
    'npm run whatif',
    'npm run --silent whatif -- --format markdown --fail-on high',
    'npm run --silent map',
    'npm run pipeline -- --explain',
    'npm run dev',
  ],
  'tests/scripts/documents/documents.test.ts': ['npm run documents'],
  'tests/docs/certificate.test.ts': ['git apply docs/certificate.patch'],
}

const AZURE = 'needs an account and a subscription; the words are checked'
/** Commands that are not run, and why. All their words are checked all the same. */
export const NOT_RUN: readonly (readonly [command: RegExp, reason: string])[] = [
  [/^(azd|az|gh) (auth )?login$/, 'opens a browser for an account'],
  [/^azd (init|up|provision)\b/, AZURE],
  [/^azd env set \w+ /, 'writes into an azd environment; that something reads the variable is checked'],
  [/^az (ad|keyvault|rest)\b/, AZURE],
  [/^jq \.secretProperties\.contentType = "application\/x-pem-file"$/, 'works on what a vault answers'],
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
