/** In a pipeline a template may come from anybody who opens a pull request. */
import { basename, dirname, join, resolve } from 'node:path'
import { templateOf } from '../bicep/compile.ts'
import { refuseFilesOutside } from '../bicep/file-references.ts'
import { Problem } from '../cli/problem.ts'

/** Throws a Problem where the template of a parameter file reads a file outside of `root`. */
export async function guardFiles(root: string, parameters: string): Promise<void> {
  const [infra, file] = [dirname(resolve(parameters)), basename(parameters)]
  const entry = file.endsWith('.bicepparam') ? file : templateOf(infra, file)
  try {
    await refuseFilesOutside(root, join(infra, entry))
  } catch (error) {
    throw new Problem({
      what: error instanceof Error ? error.message : String(error),
      why: 'In a pipeline only files of the checked-out repository are read: others may hold tokens of the job.',
      fix: 'Move the file into the repository, or correct the template',
    })
  }
}
