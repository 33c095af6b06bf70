/**
 * Runs after every `npm ci` and removes what the packages bring and Node never loads. Plain JavaScript: azd installs the
 * hooks' packages with the Node of the machine, which may be too old for TypeScript.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const packages = fileURLToPath(new URL('../node_modules', import.meta.url))
/** C++ headers beside the pinned Node, builds for React Native, and for browsers of what only a server may use. */
const FOLDERS =
  /^\/node\/node_modules$|\/dist\/react-native$|^\/@azure\/(cosmos|identity|keyvault-keys|search-documents)\/dist\/browser$/
const SOURCE_MAPS = /\.(?:[cm]?[jt]s|css)\.map$/

function lighten(folder) {
  for (const entry of readdirSync(packages + folder, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`
    // Not through links: a workspace is one.
    if (entry.isDirectory() && !FOLDERS.test(path)) lighten(path)
    else if (entry.isDirectory() || (entry.isFile() && SOURCE_MAPS.test(path))) remove(packages + path)
  }
}

/** What somebody holds, as a running Node or a virus scanner on Windows may, stays: it is in nobody's way. */
function remove(path) {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 3 })
  } catch ({ message }) {
    console.warn(message)
  }
}

if (existsSync(packages)) lighten('')
