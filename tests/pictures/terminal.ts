/** What a terminal has shown, as an animated SVG: text stays sharp, and a recording is a few kilobytes. */
import { type Html, html } from '../../scripts/emulators/entra/page.ts'

export const SCHEMES = ['light', 'dark'] as const
export type Scheme = (typeof SCHEMES)[number]

/** A line that somebody types, after which its answer comes at once. */
export type Typed = Readonly<{ heading?: string; command: string; answer: readonly string[] }>

type Shown = Readonly<{ text: string; kind: string; at: number }>

const ROW = 19
const CHARACTER = 7.83
const MARGIN = 20
const SECONDS = { typed: 1.2, line: 0.18, read: 2, end: 6 }
const COLOURS: Record<Scheme, Record<string, string>> = {
  light: {
    back: '#f6f8fa',
    text: '#1f2328',
    dim: '#59636e',
    good: '#116329',
    bad: '#a40e26',
    frame: '#d1d9e0',
  },
  dark: {
    back: '#151b23',
    text: '#f0f6fc',
    dim: '#9198a1',
    good: '#7ee787',
    bad: '#ff9492',
    frame: '#3d444d',
  },
}

const kindOf = (line: string) => (line.startsWith('✓') ? 'good' : line.startsWith('✗') ? 'bad' : 'text')

/** When each line appears, in seconds, and how long the whole takes. */
function timed(all: readonly Typed[]): { lines: Shown[]; seconds: number } {
  const lines: Shown[] = []
  let at = 0.3
  const show = (text: string, kind: string, pause: number) => {
    lines.push({ text, kind, at })
    at += pause
  }
  for (const { heading, command, answer } of all) {
    if (heading !== undefined) {
      if (lines.length > 0) show('', 'text', 0)
      show(heading, 'dim', SECONDS.line)
    }
    show(`$ ${command}`, 'command', SECONDS.typed)
    for (const line of answer) show(line, kindOf(line), SECONDS.line)
    at += SECONDS.read
  }
  return { lines, seconds: at + SECONDS.end }
}

/** A line is there from its time to the end, and again at each round. */
const frames = ({ at }: Shown, index: number, seconds: number) => {
  const from = ((at / seconds) * 100).toFixed(2)
  return `@keyframes l${index}{0%,${from}%{opacity:0}${(Number(from) + 0.01).toFixed(2)}%,100%{opacity:1}}#l${index}{animation-name:l${index}}`
}

/** `columns`: what is longer ends at the edge, as in a terminal that does not wrap. */
export function terminal(all: readonly Typed[], columns: number, scheme: Scheme): string {
  const { lines, seconds } = timed(all)
  const { back = '', frame = '', ...kinds } = COLOURS[scheme]
  const width = String(Math.ceil(columns * CHARACTER) + 2 * MARGIN)
  const height = String(lines.length * ROW + 2 * MARGIN)
  const rules = [
    'text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}',
    `.command{fill:${kinds.text};font-weight:600}`,
    ...Object.entries(kinds).map(([kind, colour]) => `.${kind}{fill:${colour}}`),
    // Whoever wants nothing to move sees all of it.
    '@media (prefers-reduced-motion:no-preference){',
    `text{animation:${seconds.toFixed(1)}s step-end infinite}`,
    ...lines.map((line, index) => frames(line, index, seconds)),
    '}',
  ]
  const rows = lines.map(
    ({ text, kind }, index) =>
      html`<text id="l${String(index)}" class="${kind}" x="${String(MARGIN)}" y="${String(MARGIN + 14 + index * ROW)}">${text}</text>
`,
  )
  const said = lines.map(({ text }) => text).join('\n')
  const picture: Html = html`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>${said}</title>
<style>RULES</style>
<rect x=".5" y=".5" width="${String(Number(width) - 1)}" height="${String(Number(height) - 1)}" rx="8" fill="${back}" stroke="${frame}"/>
${rows}</svg>
`
  return picture.text.replace('RULES', () => rules.join('\n'))
}
