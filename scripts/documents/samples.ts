import type { StoredDocument } from '../../app/documents/search.ts'

/** Object ids of those who may read the samples. */
export type Readers = Readonly<{ deployerId: string; adminGroupId: string; usersGroupId: string }>

type Text = Readonly<Pick<StoredDocument, 'id' | 'title' | 'content'>>

const sample = (text: Text, users: string[], groups: string[]): StoredDocument => ({
  ...text,
  // `none` says the same as an empty list, and says it to whoever reads the index.
  reader_users: users.length > 0 ? users : ['none'],
  reader_groups: groups.length > 0 ? groups : ['none'],
})

/** Five documents: users find two, admins who are users too find four, and one is the deployer's own. */
export const samplesFor = ({ deployerId, adminGroupId, usersGroupId }: Readers): StoredDocument[] => [
  sample(
    {
      id: 'travel-policy',
      title: 'Travel policy',
      content:
        'Book trains in second class and flights in economy. Trips of more than six hours may be booked one class higher. Keep every receipt: an expense without one is paid up to 25.',
    },
    [],
    [usersGroupId, adminGroupId],
  ),
  sample(
    {
      id: 'expense-guide',
      title: 'How to record an expense',
      content:
        'Record an expense within 30 days, one entry for each receipt. Choose the category that the receipt belongs to most, and say in the description what it was for.',
    },
    [],
    [usersGroupId],
  ),
  sample(
    {
      id: 'approval-limits',
      title: 'Approval limits',
      content:
        'An expense of up to 500 needs no approval. Up to 5,000 the head of the department approves; above, the head of finance does. A limit counts for the whole trip.',
    },
    [],
    [adminGroupId],
  ),
  sample(
    {
      id: 'audit-checklist',
      title: 'Checklist of the yearly audit',
      content:
        'Draw fifty expenses by chance. For each: the receipt is there, the amount is the same, the category fits, the approval was given by somebody who may.',
    },
    [],
    [adminGroupId],
  ),
  sample(
    {
      id: 'deployment-notes',
      title: 'Notes of the deployment',
      content:
        'These five documents are samples. Replace them with documents of your own: reader_users and reader_groups say who finds each of them. Receipts are not stored here.',
    },
    [deployerId],
    [],
  ),
]
