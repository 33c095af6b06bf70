/** The comment on a pull request as a page that looks like GitHub's. */
import { marked } from 'marked'

const style = `
body { color-scheme: light dark; margin: 0; padding: 24px; width: 852px; background: light-dark(#fff, #0d1117);
  color: light-dark(#1f2328, #f0f6fc); font: 14px/1.5 -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif }
article { border: 1px solid light-dark(#d1d9e0, #3d444d); border-radius: 6px; padding: 16px }
h3 { margin: 0 0 16px; font-size: 1.25em }
table { border-collapse: collapse; margin: 0 0 16px }
th, td { border: 1px solid light-dark(#d1d9e0, #3d444d); padding: 6px 13px; text-align: start }
tr:nth-child(2n) { background: light-dark(#f6f8fa, #151b23) }
pre { background: light-dark(#f6f8fa, #151b23); padding: 12px; border-radius: 6px; overflow: hidden }
code { font: 12px ui-monospace, "DejaVu Sans Mono", monospace }
p, details { margin: 0 0 8px }
`

/** From the Markdown of `npm run whatif -- --format markdown`; the parts are folded, as GitHub shows them. */
export const commentPage = (markdown: string): string =>
  `<!doctype html><meta charset="utf-8"><style>${style}</style><article>${marked.parse(markdown, { async: false })}</article>`
