import { existsSync } from 'node:fs'

const candidates = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:/Program Files/Google/Chrome/Application/chrome.exe',
]

/** The browser of this machine, if it has one. */
export const executablePath = candidates.find((path) => path && existsSync(path))

/** For `describe`'s `skip`. */
export const withoutBrowser = executablePath ? false : 'no Chromium here: install it, or name it in CHROMIUM'
