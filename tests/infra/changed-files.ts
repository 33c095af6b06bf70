import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Compilation, type Compiled, compile } from '../../scripts/bicep/compile.ts'

/** `files`: contents of files that differ for this once, by their name in the folder. */
export type ChangedCompilation = Compilation & { files?: Readonly<Record<string, string>> }

/** What the compiler says of a copy of the folder with these files. */
export async function compileChanged({
  infra,
  files = {},
  ...options
}: ChangedCompilation): Promise<Compiled> {
  if (Object.keys(files).length === 0) return compile({ infra, ...options })
  const folder = await mkdtemp(join(tmpdir(), 'template-'))
  try {
    await cp(infra, folder, { recursive: true })
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
    return await compile({ infra: folder, ...options })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
