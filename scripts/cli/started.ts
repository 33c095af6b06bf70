import { realpathSync } from 'node:fs'

/**
 * Whether the file of `meta` is what was started, and not imported. import.meta.main is unknown to Node 20 and 22, where
 * a hook or a check would then silently do nothing.
 */
export const isStarted = ({ filename }: ImportMeta): boolean =>
  process.argv[1] !== undefined && realpathSync.native(process.argv[1]) === realpathSync.native(filename)
