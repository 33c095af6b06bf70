declare const userId: unique symbol

/** The `oid` of a verified access token: the caller, and the partition key of everything they own. */
export type UserId = string & { readonly [userId]: true }
