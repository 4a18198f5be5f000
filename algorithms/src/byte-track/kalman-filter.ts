/**
 * Where a box will be: a Kalman filter with constant velocity over (centre x, centre y, width / height, height), as BYTE has it from
 * DeepSORT. Its covariance never couples one of the four with another, so it is four filters of two states each (value and velocity),
 * in plain arithmetic: the same on every machine.
 */

/** Centre x, centre y, width / height, height; in pixels, the third without a unit. */
export type Measurement = readonly [x: number, y: number, aspect: number, height: number];

/** One of the four: value, velocity per step, and their covariance. Plain numbers, so that a snapshot is JSON. */
export type AxisState = {
  readonly value: number;
  readonly velocity: number;
  readonly valueVariance: number;
  readonly covariance: number;
  readonly velocityVariance: number;
};

export type KalmanState = readonly [x: AxisState, y: AxisState, aspect: AxisState, height: AxisState];

/** Uncertainties are shares of the height, which tells how near an object is; that of the aspect stands alone. */
const VALUE_SHARE = 1 / 20;
const VELOCITY_SHARE = 1 / 160;
const ASPECT = { value: 1e-2, velocity: 1e-5, measured: 1e-1 };
const ASPECT_AXIS = 2;
const HEIGHT_AXIS = 3;

const square = (value: number): number => value * value;

const mapAxes = (state: KalmanState, change: (axis: AxisState, at: number) => AxisState): KalmanState => [
  change(state[0], 0),
  change(state[1], 1),
  change(state[2], 2),
  change(state[3], 3),
];

/** From a first sight: at rest, and uncertain of that. */
export function startAt(measurement: Measurement): KalmanState {
  const height = measurement[HEIGHT_AXIS];
  const start = (value: number, at: number): AxisState => ({
    value,
    velocity: 0,
    valueVariance: square(at === ASPECT_AXIS ? ASPECT.value : 2 * VALUE_SHARE * height),
    covariance: 0,
    velocityVariance: square(at === ASPECT_AXIS ? ASPECT.velocity : 10 * VELOCITY_SHARE * height),
  });
  return [start(measurement[0], 0), start(measurement[1], 1), start(measurement[2], 2), start(measurement[3], 3)];
}

/** One step on. */
export function predict(state: KalmanState): KalmanState {
  const height = state[HEIGHT_AXIS].value;
  return mapAxes(state, ({ value, velocity, valueVariance, covariance, velocityVariance }, at) => {
    const valueNoise = square(at === ASPECT_AXIS ? ASPECT.value : VALUE_SHARE * height);
    const velocityNoise = square(at === ASPECT_AXIS ? ASPECT.velocity : VELOCITY_SHARE * height);
    return {
      value: value + velocity,
      velocity,
      valueVariance: valueVariance + 2 * covariance + velocityVariance + valueNoise,
      covariance: covariance + velocityVariance,
      velocityVariance: velocityVariance + velocityNoise,
    };
  });
}

/** Corrected by what was seen. */
export function correct(state: KalmanState, measurement: Measurement): KalmanState {
  const height = state[HEIGHT_AXIS].value;
  return mapAxes(state, ({ value, velocity, valueVariance, covariance, velocityVariance }, at) => {
    const noise = square(at === ASPECT_AXIS ? ASPECT.measured : VALUE_SHARE * height);
    const innovation = (measurement[at] as number) - value;
    const total = valueVariance + noise;
    const valueGain = valueVariance / total;
    const velocityGain = covariance / total;
    return {
      value: value + valueGain * innovation,
      velocity: velocity + velocityGain * innovation,
      valueVariance: valueVariance - valueGain * valueVariance,
      covariance: covariance - valueGain * covariance,
      velocityVariance: velocityVariance - velocityGain * covariance,
    };
  });
}

/** Growing no more: what is not seen is not known to come nearer. */
export const withoutGrowth = (state: KalmanState): KalmanState => [
  state[0],
  state[1],
  state[2],
  { ...state[HEIGHT_AXIS], velocity: 0 },
];
