"""Words and codes for views and body parts, as they are found in headers.

Words are in English, German, French, Spanish, Italian, Portuguese and Dutch, in capitals and
without accents. A word that is not here says nothing. Codes are those of PS3.16 CID 4010 and CID
4031, of this edition and of earlier ones, in SNOMED-RT and in SNOMED CT.
"""

from __future__ import annotations

import re
from typing import Final

SNOMED_SCHEMES: Final = frozenset({"SRT", "SNM3", "99SDM", "SCT"})
"""Designators that stand for one of the two (PS3.16 section 8.1)."""

PA: Final = re.compile(r"(?<![A-Z])(P[^A-Z0-9]*A|POSTERO[^A-Z]*ANTERIOR)(?![A-Z])")
AP: Final = re.compile(r"(?<![A-Z])(A[^A-Z0-9]*P|ANTERO[^A-Z]*POSTERIOR)(?![A-Z])")
NOT_FRONTAL: Final = re.compile(r"[LR]L|[LR]?LAT|LATERAL.*|[LR][LAP]O|OBL.*|PROFIL|PERFIL|SEITLICH")
DECUBITUS: Final = re.compile(r"[LR]LD|DECUB.*")
"""A lateral decubitus view is frontal: the patient lies on one side (PS3.3 C.8.11.5)."""
_MERE_POSITION: Final = """
BEDSIDE CHEST ERECT FRONTAL LIEGEND MOBILE PORTABLE PROJECTION SEATED SITTING SITZEND STANDING
STEHEND SUPINE THORAX TORAX UPRIGHT VIEW
"""
MERE_POSITION: Final = frozenset(_MERE_POSITION.split())
"""Words beside PA and AP that leave it the same view."""

CHEST: Final = re.compile(
    r".*(CHEST|THORA|TORAX|TORAC).*|(LUNG|PULMO|POUMON|POLMON|BRUSTKORB).*"
    r"|RIBS?|TRUNK|TORSO|(WHOLE)?BODY|BABY(GRAM)?|CXR"
)
SPINE: Final = re.compile(
    r".*(SPINE|VERTEBRA|WIRBEL|LUMB|CERVIC).*|[HBL]WS|RACHIS|COLONNE|COLONNA|COLUMNA|COLUNA"
)
_OTHER_PARTS: Final = """
ABDOMEN ABD ABDOMENPELVIS ADDOME ABDOME BAUCH KIDNEY COLON BLADDER BUTTOCK KUB PELVIS BECKEN
BASSIN BACINO BACIA SACRUM COCCYX
HAND HANDS LEFTHAND RIGHTHAND HANDFINGER HANDE HAENDE MAIN MAINS MANO MANOS MANI MAO MAOS FINGER
FINGERS DOIGT DOIGTS DEDO DEDOS
THUMB DAUMEN POUCE PULGAR POLLICE WRIST WRISTS HANDGELENK POIGNET MUNECA POLSO PUNHO POLS
FOREARM UNTERARM AVANTBRAS ANTEBRAZO AVAMBRACCIO ANTEBRACO ELBOW ELLBOGEN ELLENBOGEN COUDE CODO
GOMITO COTOVELO ELLEBOOG ARM ARMS UPPERARM OBERARM BRAS BRAZO BRACCIO BRACO HUMERUS HUMERO OMERO
SHOULDER SHOULDERS SCHULTER EPAULE HOMBRO SPALLA OMBRO SCHOUDER CLAVICLE CLAVICULA CLAVICOLA
SCHLUESSELBEIN SCHLUSSELBEIN SCAPULA SCHULTERBLATT STERNUM
SKULL SCHAEDEL SCHADEL SCHEDEL CRANE CRANEO CRANIO HEAD KOPF TETE CABEZA TESTA CABECA HOOFD
BRAIN FACE ZYGOMA TMJ HEADNECK JAW KIEFER MANDIBLE MANDIBULA MAXILLA NOSE NASE SINUS SINUSES NNH
ORBIT ORBITS TEETH TOOTH ZAHN ZAHNE ZAEHNE DENTAL NECK HALS CUELLO COLLO PESCOCO
HIP HIPS HUEFTE HUFTE HANCHE CADERA ANCA QUADRIL HEUP FEMUR THIGH OBERSCHENKEL CUISSE MUSLO COSCIA
COXA KNEE KNEES KNIE GENOU GENOUX RODILLA GINOCCHIO JOELHO PATELLA LEG LEGS CALF LOWERLEG
UNTERSCHENKEL JAMBE PIERNA GAMBA PERNA TIBIA FIBULA ANKLE ANKLES SPRUNGGELENK CHEVILLE TOBILLO
CAVIGLIA TORNOZELO ENKEL FOOT FEET FUSS PIED PIEDS PIEDE VOET TOE TOES ZEHE ZEHEN ORTEIL
CALCANEUS HEEL BREAST MAMMA MAMA SEIN SENO EXTREMITY EXM UPPEREXTREMITY LOWEREXTREMITY
"""
OTHER_PARTS: Final = frozenset(_OTHER_PARTS.split())

FRONTAL_CODES: Final = {
    **dict.fromkeys(("R-10214", "R-40888", "272479007"), "PA"),
    **dict.fromkeys(("R-10206", "399348003"), "AP"),
    **dict.fromkeys(("R-10202", "399033003"), None),
}
"""Codes of frontal views, and which of the two they are. R-10214 is of earlier editions."""

OTHER_VIEW_CODES: Final = frozenset(
    {
        *("R-102CD", "399067008", "R-10232", "399198007", "R-10236", "399173006"),  # lateral
        *("R-10224", "399260004", "R-10228", "399352003"),  # medial-lateral, lateral-medial
        *("R-102C1", "399182000", "R-10204", "399160007"),  # oblique, frontal oblique
        *("R-10208", "399312000", "R-10216", "399059000"),  # AP oblique, PA oblique
        *("R-10210", "399038007", "R-10212", "399006002"),  # RPO, LPO
        *("R-40985", "R-10218", "399356000", "R-10220", "399135007"),  # RAO, LAO
        *("R-10234", "399236003", "R-10238", "399184004"),  # right oblique, left oblique
    }
)

CHEST_CODES: Final = frozenset(
    {
        *("T-D3000", "51185008", "816094009"),  # chest; the last since 2020
        *("T-28000", "39607008", "T-280A0", "86598002", "T-11300", "113197003"),  # lung, apex, rib
        *("T-D2000", "22943007", "T-D0010", "38266002"),  # trunk, entire body
        *("R-FAB52", "417437006", "R-FAB53", "416152001"),  # neck and chest, and abdomen
        *("R-FAB54", "416319003", "R-FAB55", "416550000"),  # and pelvis; chest and abdomen
        *("R-FAB56", "416775004"),  # chest, abdomen and pelvis
    }
)
OTHER_PART_CODES: Final = frozenset(
    {
        *(
            "T-D8700",
            "85562004",
            "T-D8800",
            "7569003",
            "T-D8810",
            "76505004",
        ),  # hand, finger, thumb
        *("T-15460", "74670003", "T-D8500", "14975008", "T-15430", "16953009"),  # wrist to elbow
        *("T-12410", "85050009", "T-D8200", "40983000", "T-D8000", "53120007"),  # upper arm, limb
        *("T-D2220", "16982005", "T-12310", "51299004", "T-12280", "79601000"),  # shoulder
        *("T-11100", "89546000", "T-D1100", "69536005", "T-D1213", "661005"),  # skull, head, jaw
        *("T-11196", "91397008", "T-22000", "2095001", "T-D1600", "45048000"),  # face, sinus, neck
        *("T-11501", "122494005", "T-11502", "122495006", "T-11503", "122496007"),  # C, T, L spine
        *("T-D04FF", "421060004", "T-11AD0", "54735007", "T-11BF0", "64688005"),  # spine, sacrum
        *("T-D4000", "113345001", "818981001", "818982008"),  # abdomen, and with the pelvis
        *("T-D6000", "12921003", "816092008", "T-D2500", "29836001"),  # pelvis, hip
        *("T-15710", "24136001", "T-12710", "71341001", "T-D9100", "68367000"),  # hip to thigh
        *("T-D9200", "72696002", "T-12730", "64234005", "T-D9400", "30021000"),  # knee, lower leg
        *("T-12740", "12611008", "T-12750", "87342007"),  # tibia, fibula
        *("T-D9000", "61685007", "T-15750", "70258002"),  # lower limb, ankle
        *("T-D9700", "56459004", "T-D9800", "29707007", "T-12770", "80144004"),  # foot, toe, heel
        *("T-04000", "76752008", "T-D0300", "66019005"),  # breast, extremity
    }
)

_ONE_SIDE: Final = """
L R LEFT RIGHT LINKS RECHTS GAUCHE DROITE IZQUIERDA DERECHA SINISTRA DESTRA
"""
ONE_SIDE: Final = frozenset(_ONE_SIDE.split())
"""Values of Image Laterality for one side of the body."""

DIRECTIONS: Final = {
    **{letter: letter for letter in "LRAPHF"},
    "LEFT": "L",
    "RIGHT": "R",
    "ANTERIOR": "A",
    "POSTERIOR": "P",
    "HEAD": "H",
    "FOOT": "F",
    "FEET": "F",
}
"""Directions of Patient Orientation that stand for a plain one."""
