export interface DemoPipeline {
  readonly bootstrap: string
  readonly location: string
  /** The most records of a commit to the table of flights: small enough that there is time to kill someone. */
  readonly commitRecords: number
}

/** The pipeline of the demo, as a user would write it. */
export const manifest = ({
  bootstrap,
  location,
  commitRecords
}: DemoPipeline): string => `# What "npm run demo" has run.
apiVersion: bronze.dev/v1alpha1
kind: BronzePipeline
metadata:
  name: demo
spec:
  source:
    bootstrapServers: ["${bootstrap}"]
  topics:
  - name: flights
    table: bronze.flights
    format: Json
    columns:
    - {name: origin, value: /origin, type: String, required: true}
    - {name: destination, value: /destination, type: String, required: true}
    - {name: delay_minutes, value: /delay, type: Int}
    - {name: distance_miles, value: /distance, type: Int}
    - {name: producer, header: x-producer, type: String}
    batch: {maxRecords: ${commitRecords}}
  - name: earthquakes
    table: bronze.earthquakes
    format: Json
    columns:
    - {name: id, value: /id, type: String, required: true}
    - {name: magnitude, value: /properties/mag, type: Double}
    - {name: place, value: /properties/place, type: String}
  - name: weather
    table: bronze.weather
    format: Json
    columns:
    - {name: location, value: /location, type: String, required: true}
    - {name: date, value: /date, type: String, required: true}
    - {name: temp_max, value: /temp_max, type: Double}
    - {name: weather, value: /weather, type: String}
  batch: {triggerInterval: 1s}
  deadLetters: {policy: Table}
  sink:
    delta:
      location: ${JSON.stringify(location)}
`
