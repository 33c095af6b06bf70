/** What a start is compared with: an Express app that does nothing. */
import express from 'express'

express().listen(0, () => console.log('listening'))
