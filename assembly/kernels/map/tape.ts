// The tape of an OP_MAP: which function carries out which micro-operation.
import * as abi from '../../abi';
import * as unary from './micro/unary';
import * as binary from './micro/binary';
import * as joint from './micro/joint';
import * as scalar from './micro/scalar';
import * as rich from './micro/rich';
import * as update from './micro/update';

/** Runs one micro-operation that is no reduction, at `m`, over the n elements of the present block. */
export function perform(micro: i32, m: usize, frame: usize, n: i32): i32 {
  switch (micro) {
    case abi.MICRO_COPY:
      unary.copy(m, frame, n);
      break;
    case abi.MICRO_NEG:
      unary.neg(m, frame, n);
      break;
    case abi.MICRO_ABS:
      unary.abs(m, frame, n);
      break;
    case abi.MICRO_SIGN:
      unary.sign(m, frame, n);
      break;
    case abi.MICRO_SQRT:
      unary.sqrt(m, frame, n);
      break;
    case abi.MICRO_SQUARE:
      unary.square(m, frame, n);
      break;
    case abi.MICRO_RECIPROCAL:
      unary.reciprocal(m, frame, n);
      break;
    case abi.MICRO_EXP:
      unary.exp(m, frame, n);
      break;
    case abi.MICRO_EXPM1:
      unary.expm1(m, frame, n);
      break;
    case abi.MICRO_LOG:
      unary.log(m, frame, n);
      break;
    case abi.MICRO_LOG1P:
      unary.log1p(m, frame, n);
      break;
    case abi.MICRO_SIN:
      unary.sin(m, frame, n);
      break;
    case abi.MICRO_COS:
      unary.cos(m, frame, n);
      break;
    case abi.MICRO_TANH:
      unary.tanh(m, frame, n);
      break;
    case abi.MICRO_ERF:
      unary.erf(m, frame, n);
      break;
    case abi.MICRO_SIGMOID:
      unary.sigmoid(m, frame, n);
      break;
    case abi.MICRO_SOFTPLUS:
      unary.softplus(m, frame, n);
      break;
    case abi.MICRO_RELU:
      unary.relu(m, frame, n);
      break;
    case abi.MICRO_FLOOR:
      unary.floor(m, frame, n);
      break;
    case abi.MICRO_CEIL:
      unary.ceil(m, frame, n);
      break;
    case abi.MICRO_ROUND:
      unary.round(m, frame, n);
      break;
    case abi.MICRO_TRUNC:
      unary.trunc(m, frame, n);
      break;
    case abi.MICRO_TO_I32:
      unary.toI32(m, frame, n);
      break;
    case abi.MICRO_TO_F32:
      unary.toF32(m, frame, n);
      break;
    case abi.MICRO_NEG_I32:
      unary.negI32(m, frame, n);
      break;
    case abi.MICRO_ABS_I32:
      unary.absI32(m, frame, n);
      break;
    case abi.MICRO_GELU:
      unary.gelu(m, frame, n);
      break;
    case abi.MICRO_GELU_SLOPE:
      unary.geluSlope(m, frame, n);
      break;
    case abi.MICRO_GELU_TANH:
      unary.geluTanh(m, frame, n);
      break;
    case abi.MICRO_GELU_TANH_SLOPE:
      unary.geluTanhSlope(m, frame, n);
      break;
    case abi.MICRO_EXP2:
      unary.exp2(m, frame, n);
      break;
    case abi.MICRO_LOG2:
      unary.log2(m, frame, n);
      break;
    case abi.MICRO_ATAN:
      unary.atan(m, frame, n);
      break;
    case abi.MICRO_ADD:
      binary.add(m, frame, n);
      break;
    case abi.MICRO_SUB:
      binary.sub(m, frame, n);
      break;
    case abi.MICRO_MUL:
      binary.mul(m, frame, n);
      break;
    case abi.MICRO_DIV:
      binary.div(m, frame, n);
      break;
    case abi.MICRO_MIN:
      binary.min(m, frame, n);
      break;
    case abi.MICRO_MAX:
      binary.max(m, frame, n);
      break;
    case abi.MICRO_POW:
      binary.pow(m, frame, n);
      break;
    case abi.MICRO_ATAN2:
      binary.atan2(m, frame, n);
      break;
    case abi.MICRO_FMOD:
      binary.fmod(m, frame, n);
      break;
    case abi.MICRO_EQ:
      binary.eq(m, frame, n);
      break;
    case abi.MICRO_NE:
      binary.ne(m, frame, n);
      break;
    case abi.MICRO_LT:
      binary.lt(m, frame, n);
      break;
    case abi.MICRO_LE:
      binary.le(m, frame, n);
      break;
    case abi.MICRO_RELU_GRAD:
      binary.reluGrad(m, frame, n);
      break;
    case abi.MICRO_TANH_GRAD:
      binary.tanhGrad(m, frame, n);
      break;
    case abi.MICRO_SIGMOID_GRAD:
      binary.sigmoidGrad(m, frame, n);
      break;
    case abi.MICRO_ADD_I32:
      binary.addI32(m, frame, n);
      break;
    case abi.MICRO_SUB_I32:
      binary.subI32(m, frame, n);
      break;
    case abi.MICRO_MUL_I32:
      binary.mulI32(m, frame, n);
      break;
    case abi.MICRO_MIN_I32:
      binary.minI32(m, frame, n);
      break;
    case abi.MICRO_MAX_I32:
      binary.maxI32(m, frame, n);
      break;
    case abi.MICRO_EQ_I32:
      binary.eqI32(m, frame, n);
      break;
    case abi.MICRO_NE_I32:
      binary.neI32(m, frame, n);
      break;
    case abi.MICRO_LT_I32:
      binary.ltI32(m, frame, n);
      break;
    case abi.MICRO_LE_I32:
      binary.leI32(m, frame, n);
      break;
    case abi.MICRO_ADD_S:
      scalar.addS(m, frame, n);
      break;
    case abi.MICRO_SUB_S:
      scalar.subS(m, frame, n);
      break;
    case abi.MICRO_RSUB_S:
      scalar.rsubS(m, frame, n);
      break;
    case abi.MICRO_MUL_S:
      scalar.mulS(m, frame, n);
      break;
    case abi.MICRO_DIV_S:
      scalar.divS(m, frame, n);
      break;
    case abi.MICRO_RDIV_S:
      scalar.rdivS(m, frame, n);
      break;
    case abi.MICRO_MIN_S:
      scalar.minS(m, frame, n);
      break;
    case abi.MICRO_MAX_S:
      scalar.maxS(m, frame, n);
      break;
    case abi.MICRO_FILL:
      scalar.fill(m, frame, n);
      break;
    case abi.MICRO_MADD:
      rich.madd(m, frame, n);
      break;
    case abi.MICRO_NMADD:
      rich.nmadd(m, frame, n);
      break;
    case abi.MICRO_WHERE:
      rich.where(m, frame, n);
      break;
    case abi.MICRO_AXPY:
      rich.axpy(m, frame, n);
      break;
    case abi.MICRO_AXPBY:
      rich.axpby(m, frame, n);
      break;
    case abi.MICRO_LERP:
      rich.lerp(m, frame, n);
      break;
    case abi.MICRO_SGD_MOMENTUM:
      update.sgdMomentum(m, frame, n);
      break;
    case abi.MICRO_ADAM:
      update.adam(m, frame, n);
      break;
    case abi.MICRO_GELU_BOTH:
      joint.geluBoth(m, frame, n);
      break;
    case abi.MICRO_GELU_TANH_BOTH:
      joint.geluTanhBoth(m, frame, n);
      break;
    default:
      return abi.FAULT_OPCODE;
  }
  return abi.STATUS_OK;
}
