declare const adminId: unique symbol

/** Proof that the caller was found in the admin group; only this module makes one. */
export type AdminId = string & { readonly [adminId]: true }
