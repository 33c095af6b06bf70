/** In a pull request from a fork: says why there is no preview, and fails where one would be needed. */
import { appendFile } from 'node:fs/promises'
import { z } from 'zod'
import { list } from './github.ts'
import { runStep } from './step.ts'

// What decides about identities, rights and this very check.
const GUARDED = /^(infra|scripts|\.github)\/|^(azure\.yaml|package(-lock)?\.json)$/
const File = z.object({ filename: z.string(), previous_filename: z.string().optional() })

await runStep(
  import.meta,
  { GITHUB_REPOSITORY: z.string(), PULL_REQUEST: z.coerce.number().int(), GITHUB_STEP_SUMMARY: z.string() },
  async ({ GITHUB_REPOSITORY, PULL_REQUEST, GITHUB_STEP_SUMMARY }) => {
    const files = await list(`repos/${GITHUB_REPOSITORY}/pulls/${PULL_REQUEST}/files?per_page=100`, File)
    const guarded = files.some(({ filename, previous_filename: before }) =>
      [filename, before].some((name) => name && GUARDED.test(name)),
    )
    const text = guarded
      ? 'This pull request comes from a fork and changes infrastructure. GitHub gives forks no token to sign in to Azure with, so it cannot be previewed. A maintainer who has read it pushes the branch to this repository and opens a pull request from there.'
      : 'This pull request comes from a fork: GitHub gives it no token to sign in to Azure with. It changes nothing that a preview would show, so the preview is skipped.'
    await appendFile(GITHUB_STEP_SUMMARY, `${text}\n`)
    console.log(text)
    if (guarded) process.exitCode = 1
  },
)
