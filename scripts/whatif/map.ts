/** The identity map: who may call what, and what that may call, as a Mermaid flowchart. */
import type { Change } from './changes.ts'
import { type Edge, edgesOf, type State } from './edges.ts'
import { Nodes } from './nodes.ts'
import type { WhatIf } from './whatif.ts'

export type Mapped = Pick<WhatIf, 'objects' | 'knowledge' | 'naming'> & { changes: readonly Change[] }

const SIGNS: Record<State, string> = { same: '', added: '+ ', removed: '− ', changed: '~ ' }
const LINES: Record<State, string | undefined> = {
  same: undefined,
  added: 'stroke:#1a7f37,stroke-width:3px,color:#1a7f37',
  removed: 'stroke:#cf222e,stroke-width:3px,color:#cf222e',
  changed: 'stroke:#bc4c00,stroke-width:3px,color:#bc4c00',
}
const FRAMES: Record<State, string | undefined> = {
  same: undefined,
  added: 'stroke:#1a7f37,stroke-width:3px',
  removed: 'stroke:#cf222e,stroke-width:3px',
  changed: 'stroke:#bc4c00,stroke-width:3px',
}
const CLASSES = [
  'classDef client fill:#ddf4ff,stroke:#0969da,color:#0a3069',
  'classDef scope fill:#fff8c5,stroke:#9a6700,color:#3b2300',
  'classDef api fill:#fbefff,stroke:#8250df,color:#2e1461',
  'classDef group fill:#f6f8fa,stroke:#57606a,color:#24292f',
  'classDef identity fill:#dafbe1,stroke:#1a7f37,color:#033a16',
  `classDef added ${FRAMES.added}`,
  `classDef changed ${FRAMES.changed}`,
  `classDef removed ${FRAMES.removed},stroke-dasharray:5 5`,
]

/** Names come from the directory: nothing in them may be read as Mermaid or HTML. */
export const label = (text: string): string =>
  `"${text.replaceAll(/[^\p{L}\p{N} .,:/()@_+~−-]/gu, (one) => `#${one.codePointAt(0)};`)}"`

function edgeLine({ from, to, label: text, state }: Edge): string {
  const arrow = state === 'removed' ? '-.->' : '-->'
  return `  ${from} ${arrow}|${label(SIGNS[state] + text)}| ${to}`
}

const SHAPES = {
  client: ['([', '])'],
  scope: ['[', ']'],
  api: ['[[', ']]'],
  group: ['(', ')'],
  identity: ['{{', '}}'],
} as const

/** Changed edges and nodes are marked; without changes it is the map of the declared state. */
export function mapOf(mapped: Mapped): string {
  const nodes = new Nodes(mapped)
  const edges = edgesOf(mapped, nodes)
  const lines = ['flowchart LR']
  for (const { id, title, inner, state } of nodes.apps()) {
    lines.push(`  subgraph ${id}[${label(SIGNS[state] + title)}]`)
    for (const scope of inner) lines.push(`    ${nodeLine(scope)}`)
    lines.push('  end')
    // A class would not reach the frame of a subgraph.
    if (FRAMES[state]) lines.push(`  style ${id} ${FRAMES[state]}`)
  }
  for (const node of nodes.others()) lines.push(`  ${nodeLine(node)}`)
  lines.push(...edges.map(edgeLine))
  for (const [index, { state }] of edges.entries())
    if (LINES[state]) lines.push(`  linkStyle ${index} ${LINES[state]}`)
  return `${[...lines, ...CLASSES.map((one) => `  ${one}`)].join('\n')}\n`
}

function nodeLine({
  id,
  title,
  kind,
  state,
}: {
  id: string
  title: string
  kind: keyof typeof SHAPES
  state: State
}) {
  const [open, close] = SHAPES[kind]
  const node = `${id}${open}${label(SIGNS[state] + title)}${close}:::${kind}`
  return state === 'same' ? node : `${node}\n  class ${id} ${state}`
}
