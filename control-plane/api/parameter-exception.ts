/**
 * What becomes of a parameter that is not simply honoured. `stored`: kept and shown again, without an effect. `ignored`:
 * taken and not kept. `partly`: some values have their effect, others are refused or have none. `rejected`: refused.
 */
export type Treatment = 'stored' | 'ignored' | 'partly' | 'rejected'

export interface ParameterException {
  readonly service: string
  readonly operation: string
  /** Its path in the input: `containerDefinitions[].dockerSecurityOptions`. What is in it is treated the same. */
  readonly parameter: string
  readonly treatment: Treatment
  readonly note: string
}

/** Rows of a service: `ecs('RunTask', 'referenceId', 'not shown', 'ignored')`. */
export const exceptionsOf =
  (service: string, usual: Treatment = 'stored') =>
  (operation: string, parameter: string, note: string, treatment = usual): ParameterException => ({
    service,
    operation,
    parameter,
    treatment,
    note,
  })

/** Whether what a row says of a parameter holds for the path too. */
export function covers({ parameter }: Pick<ParameterException, 'parameter'>, path: string): boolean {
  return path === parameter || path.startsWith(`${parameter}.`) || path.startsWith(`${parameter}[]`)
}
