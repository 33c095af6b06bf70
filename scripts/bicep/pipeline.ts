/** Whether this runs in a pipeline, from what the pipeline says. */

/** Pipelines set CI; a person may switch it off. */
export const isPipeline = (ci: string | undefined): boolean =>
  !['', '0', 'false'].includes(ci?.trim().toLowerCase() ?? '')

// Azure DevOps sets no CI: https://learn.microsoft.com/azure/devops/pipelines/build/variables
export const isInPipeline = ({ CI, GITHUB_ACTIONS, TF_BUILD } = process.env): boolean =>
  [CI, GITHUB_ACTIONS, TF_BUILD].some(isPipeline)
