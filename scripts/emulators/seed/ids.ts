// Fixed ids: expenses are kept by `oid`, so a restart must not give Alice another one.
export const TENANT_ID = '4f6c2b1e-9a57-4d0f-8c3d-5e1b7a902c64'
export const API_APP_ID = 'c0d1f7a4-2b6e-4a83-9f15-7e3a8d5b6c20'
export const CLIENT_APP_ID = 'e7b3a9d2-51c8-4f6e-a0b4-2c9d8f1e7a35'
export const API_PRINCIPAL = '1d9e4c73-8f20-4b5a-b6d1-3a7c0e92f584'
export const CLIENT_PRINCIPAL = '2ea05d84-9031-4c6b-87e2-4b8d1fa3069f'
export const ADMINS = '3fb16e95-a142-4d7c-98f3-5c9e20b417a0'
export const FINANCE = '40c27fa6-b253-4e8d-a904-6daf31c528b1'
export const USERS = '51d380b7-c364-4f9e-ba15-7eb042d639c2'
export const INTERNS = '62e491c8-d475-40af-8b26-8fc153e74ad3'
export const MANAGED_IDENTITY = {
  clientId: '73f5a2d9-e586-41b0-9c37-90d264f85be4',
  principalId: '8406b3ea-f697-42c1-ad48-a1e375096cf5',
}
