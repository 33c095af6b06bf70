/**
 * Runs after every `npm ci` and removes what the packages bring and Node never loads. Plain JavaScript: azd installs the
 * hooks' packages with the Node of the machine, which may be too old for TypeScript.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const packages = fileURLToPath(new URL('../node_modules', import.meta.url))
/** The C++ headers beside the pinned Node, builds for browsers and for React Native, source maps. */
const UNUSED = /^\/node\/node_modules$|\/dist\/(browser|react-native)$|\.map$/

function lighten(folder) {
  for (const entry of readdirSync(packages + folder, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`
    if (UNUSED.test(path)) rmSync(packages + path, { recursive: true, force: true })
    // Not through links: a workspace is one.
    else if (entry.isDirectory()) lighten(path)
  }
}

if (existsSync(packages)) lighten('')
