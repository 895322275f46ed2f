import { keyOf, type KubeObject } from '../kube/kube.ts'
import { covers } from './covers.ts'

/** By kind and name: the form of objects in which the API server's admission has changed what we applied. */
export type Admitted = Map<string, string>

/** Remembers what the API server made of an object that was applied, if that is not what was wanted. */
export function noteAdmitted(admitted: Admitted, wanted: KubeObject, made: KubeObject): void {
  const { resourceVersion: _, ...metadata } = wanted.metadata
  if (covers(made, { ...wanted, metadata })) admitted.delete(idOf(wanted))
  else admitted.set(idOf(wanted), formOf(made))
}

/** Whether an object is as admission left it: applied again, it would come out the same. Our marks on it are our own. */
export const isAsAdmitted = (admitted: ReadonlyMap<string, string>, there: KubeObject, wanted: KubeObject): boolean =>
  admitted.get(idOf(wanted)) === formOf(there) && covers(there.metadata, wanted.metadata)

const idOf = (object: KubeObject) => `${object.kind} ${keyOf(object)}`

/** Generations count changes of what is asked for; kinds without them have no status that would change beside it. */
const formOf = ({ metadata: { uid, generation, resourceVersion } }: KubeObject) =>
  `${uid} ${generation === undefined ? resourceVersion : `generation ${generation}`}`
